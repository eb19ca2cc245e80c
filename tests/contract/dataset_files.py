"""What every DatasetFiles does with an upload."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Mapping

import pytest

from orchestrator.domain.dataset import UploadLimits
from orchestrator.domain.errors import LaunchRefused, Rejected, TooLarge
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.dataset_store import DatasetFiles, UploadedFile
from tests.factories import picture_bytes, sha256_of, upload, zip_bytes

PNG, JPEG, WEBP = (picture_bytes(file_format=name) for name in ("PNG", "JPEG", "WEBP"))

LIMITS = UploadLimits(
    max_bytes=60_000, max_files=6, max_file_bytes=50_000, max_ratio=100, max_pixels=10_000, max_caption_length=40
)


def zipped(files: Mapping[str, bytes]) -> list[UploadedFile]:
    return upload({"set.zip": zip_bytes(files)})


class DatasetFilesContract:
    @pytest.fixture
    def files(self) -> DatasetFiles:
        """One with LIMITS."""
        raise NotImplementedError

    @pytest.fixture
    def kept(self) -> Callable[[], dict[str, dict[str, bytes]]]:
        """Everything that is kept: bytes by dataset and file name, half-finished uploads included."""
        raise NotImplementedError

    @pytest.fixture
    def dataset_id(self) -> str:
        return str(uuid.uuid4())

    @pytest.mark.parametrize("send", [upload, zipped])
    def test_pictures_and_captions_get_our_names_in_order_of_theirs(self, files, kept, dataset_id, send):
        sent = {"b/cat.jpg": JPEG, "a/dog.PNG": PNG, "b/cat.txt": b" a cat\n", "c.webp": WEBP}

        items = files.store(dataset_id, send(sent))

        assert [(item.file_name, item.original_name, item.caption) for item in items] == [
            ("00001.png", "a/dog.PNG", None),
            ("00002.jpg", "b/cat.jpg", "a cat"),
            ("00003.webp", "c.webp", None),
        ]
        assert kept() == {
            dataset_id: {"00001.png": PNG, "00002.jpg": JPEG, "00002.txt": b"a cat\n", "00003.webp": WEBP}
        }

    def test_an_item_knows_its_picture(self, files, dataset_id):
        (item,) = files.store(dataset_id, upload({"cat.png": PNG}))

        assert (item.dataset_id, item.width, item.height) == (dataset_id, 16, 12)
        assert (item.size_bytes, item.sha256) == (len(PNG), sha256_of(PNG))

    def test_a_picture_gets_the_suffix_of_what_it_is(self, files, dataset_id):
        (item,) = files.store(dataset_id, upload({"cat.png": JPEG}))

        assert item.file_name == "00001.jpg"

    def test_a_persian_caption_keeps_its_joiners_and_loses_control_characters(self, files, kept, dataset_id):
        sent = {"گربه.png": PNG, "گربه.txt": "\ufeffگربه‌ی\x00 من\r\n\x1b روی مبل".encode()}  # noqa: RUF001 - Persian

        (item,) = files.store(dataset_id, upload(sent))

        assert item.caption == "گربه‌ی من روی مبل"
        assert kept()[dataset_id]["00001.txt"].decode() == "گربه‌ی من روی مبل\n"

    def test_an_empty_caption_is_none(self, files, kept, dataset_id):
        (item,) = files.store(dataset_id, upload({"cat.png": PNG, "cat.txt": b" \n"}))

        assert item.caption is None
        assert set(kept()[dataset_id]) == {"00001.png"}

    def test_what_operating_systems_add_is_passed_over(self, files, dataset_id):
        sent = {"cat.png": PNG, ".DS_Store": b"x", "__MACOSX/._cat.png": b"x", "Thumbs.db": b"x"}

        assert len(files.store(dataset_id, zipped(sent))) == 1

    def test_a_hostile_name_is_shown_but_is_no_path(self, files, kept, dataset_id):
        (item,) = files.store(dataset_id, upload({"../../etc/\x1b[31mcron\n.png": PNG}))

        assert (item.file_name, item.original_name) == ("00001.png", "../../etc/[31mcron.png")
        assert set(kept()) == {dataset_id}

    @pytest.mark.parametrize("send", [upload, zipped])
    def test_every_bad_file_is_named_and_nothing_is_kept(self, files, kept, dataset_id, send):
        sent = {
            "broken.png": PNG[:40],
            "good.png": PNG,
            "good.txt": b"\xff\xfe",
            "lonely.txt": b"a caption",
            "script.svg": b"<svg/>",
        }

        with pytest.raises(Rejected) as rejection:
            files.store(dataset_id, send(sent))

        problems = {violation.field: violation.message for violation in rejection.value.details}
        assert set(problems) == {"broken.png", "good.txt", "lonely.txt", "script.svg"}
        assert "not a readable" in problems["broken.png"]
        assert "UTF-8" in problems["good.txt"]
        assert "no picture" in problems["lonely.txt"]
        assert "neither a picture" in problems["script.svg"]
        assert kept() == {}

    @pytest.mark.parametrize(
        ("picture", "problem"),
        [
            (picture_bytes(200, 100), "pixels"),
            (
                picture_bytes(save_all=True, append_images=[], file_format="GIF"),
                "not a readable",
            ),
            (b"", "not a readable"),
            (b"<?xml version='1.0'?><svg/>", "not a readable"),
        ],
        ids=["too many pixels", "another format", "empty", "text"],
    )
    def test_a_picture_we_do_not_take_is_rejected(self, files, kept, dataset_id, picture, problem):
        with pytest.raises(Rejected) as rejection:
            files.store(dataset_id, upload({"cat.png": picture}))

        assert problem in rejection.value.details[0].message
        assert kept() == {}

    @pytest.mark.parametrize("sent", [{}, {"cat.txt": b"a cat"}, {".DS_Store": b"x"}])
    def test_an_upload_without_a_picture_is_rejected(self, files, kept, dataset_id, sent):
        with pytest.raises(Rejected):
            files.store(dataset_id, upload(sent))

        assert kept() == {}

    def test_a_caption_beyond_the_limit_is_rejected(self, files, dataset_id):
        with pytest.raises(Rejected, match="unusable"):
            files.store(dataset_id, upload({"cat.png": PNG, "cat.txt": b"x" * 41}))

    def test_a_name_that_comes_twice_is_rejected(self, files, dataset_id):
        twice = [UploadedFile("cat.png", io.BytesIO(PNG)), UploadedFile("cat.png", io.BytesIO(PNG))]

        with pytest.raises(Rejected) as rejection:
            files.store(dataset_id, twice)

        assert [violation.message for violation in rejection.value.details] == ["The file appears twice."]

    @pytest.mark.parametrize("send", [upload, zipped])
    @pytest.mark.parametrize(
        "sent",
        [
            {f"{number}.png": PNG for number in range(7)},
            {"big.png": PNG + b"\0" * 50_000},
            {"a.png": PNG + b"\0" * 40_000, "b.png": PNG + b"\0" * 40_000},
        ],
        ids=["too many files", "too large a file", "too large together"],
    )
    def test_beyond_the_limits_nothing_is_kept(self, files, kept, dataset_id, send, sent):
        with pytest.raises(TooLarge):
            files.store(dataset_id, send(sent))

        assert kept() == {}

    @pytest.mark.parametrize(
        "content",
        [b"", b"not a zip", zip_bytes({"cat.png": PNG})[:-30], b"PK\x05\x06" + b"\xff" * 18],
        ids=["empty", "text", "cut off", "lying end record"],
    )
    def test_a_zip_that_is_none_is_rejected(self, files, kept, dataset_id, content):
        with pytest.raises(Rejected):
            files.store(dataset_id, upload({"set.zip": content}))

        assert kept() == {}

    def test_a_zip_among_other_files_is_rejected(self, files, dataset_id):
        with pytest.raises(Rejected):
            files.store(dataset_id, upload({"cat.png": PNG, "set.zip": zip_bytes({"dog.png": PNG})}))

    def test_a_stored_dataset_is_located_until_it_is_removed(self, files, kept, dataset_id):
        files.store(dataset_id, upload({"cat.png": PNG}))
        assert files.locate(dataset_id).endswith(dataset_id)

        files.remove(dataset_id)
        files.remove(dataset_id)

        assert kept() == {}
        with pytest.raises(LaunchRefused) as refusal:
            files.locate(dataset_id)
        assert refusal.value.reason is EndReason.DATASET_MISSING
