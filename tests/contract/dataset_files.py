"""What every DatasetFiles does with an upload."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from orchestrator.domain.dataset import DatasetVersion, UploadLimits, version_of
from orchestrator.domain.errors import LaunchRefused, NotFound, Rejected, StoreUnavailable, TooLarge
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.dataset_store import DatasetFiles, UploadedFile
from tests.factories import NOW, noise_bytes, picture_bytes, sha256_of, turned_exif, upload, zip_bytes

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
        """Everything but previews: bytes by dataset and path below it, half-finished uploads included."""
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
        assert kept() == {dataset_id: {"00001.png": PNG, "00002.jpg": JPEG, "00003.webp": WEBP}}

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
        files.freeze(version := version_of(dataset_id, [item], at=NOW), in_use=())
        written = kept()[dataset_id][f"versions/{version.sha256}/00001.txt"]
        assert written.decode() == "گربه‌ی من روی مبل\n"

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
        assert "not a readable PNG, JPEG or WebP picture" in problems["broken.png"]
        assert "UTF-8" in problems["good.txt"]
        assert "no picture" in problems["lonely.txt"]
        assert "neither a picture" in problems["script.svg"]
        assert kept() == {}

    @pytest.mark.parametrize(
        ("picture", "problem"),
        [
            (picture_bytes(200, 100), "pixels"),
            (picture_bytes(save_all=True, append_images=[], file_format="GIF"), "it is a GIF; save it as JPEG or PNG"),
            (picture_bytes(file_format="TIFF"), "it is a TIFF"),
            (b"\0\0\0\x20ftypheic\0\0\0\0mif1heic", "it is a HEIC picture"),
            (b"", "it is empty"),
            (b"<?xml version='1.0'?><svg/>", "it is an SVG or a web page"),
            (b"\0" * 64, "it is something else"),
            (PNG[:-20], "it is damaged or cut off"),
        ],
        ids=["too many pixels", "a GIF", "a TIFF", "an iPhone's", "empty", "text", "anything", "cut off"],
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

    def test_what_was_measured_is_said_of_each_item(self, files, dataset_id):
        flat, busy = files.store(dataset_id, upload({"a.png": PNG, "b.png": noise_bytes(64, 64)}))

        assert (flat.sharpness, flat.dhash) == (0.0, "0" * 16)
        assert busy.sharpness > 1_000
        assert busy.dhash != flat.dhash

    def test_a_version_holds_the_selected_pictures_and_their_captions(self, files, kept, dataset_id):
        sent = {"a.png": PNG, "a.txt": b"a cat", "b.jpg": JPEG, "c.webp": WEBP}
        first, _, third = files.store(dataset_id, upload(sent))
        version = version_of(dataset_id, [first, third], at=NOW)

        path = files.freeze(version, in_use=())

        assert path.endswith(f"{dataset_id}/versions/{version.sha256}")
        assert _version(kept(), version) == {"00001.png": PNG, "00001.txt": b"a cat\n", "00003.webp": WEBP}

    def test_a_version_stays_what_it_is_when_another_is_made(self, files, kept, dataset_id):
        (item,) = files.store(dataset_id, upload({"a.png": PNG, "a.txt": b"a cat"}))
        old = version_of(dataset_id, [item], at=NOW)
        new = version_of(dataset_id, [replace(item, caption="a dog")], at=NOW)
        path = files.freeze(old, in_use=())

        assert files.freeze(new, in_use={old.sha256}) != path
        assert files.freeze(old, in_use={new.sha256}) == path
        assert _version(kept(), old)["00001.txt"] == b"a cat\n"
        assert _version(kept(), new)["00001.txt"] == b"a dog\n"

    def test_a_removed_dataset_is_gone_with_its_versions(self, files, kept, dataset_id):
        items = files.store(dataset_id, upload({"cat.png": PNG}))
        version = version_of(dataset_id, items, at=NOW)
        files.freeze(version, in_use=())

        files.remove(dataset_id)
        files.remove(dataset_id)

        assert kept() == {}
        with pytest.raises(LaunchRefused) as refusal:
            files.freeze(version, in_use=())
        assert refusal.value.reason is EndReason.DATASET_MISSING
        with pytest.raises(NotFound):
            files.preview(items[0])

    def test_a_preview_is_a_small_upright_jpeg_of_our_own_making(self, files, dataset_id):
        sent = picture_bytes(60, 20, file_format="JPEG", exif=turned_exif())
        (item,) = files.store(dataset_id, upload({"cat.jpg": sent}))

        with Image.open(io.BytesIO(files.preview(item))) as preview:
            assert (preview.format, preview.size, dict(preview.getexif())) == ("JPEG", (20, 60), {})
        assert (item.width, item.height) == (20, 60)

    @pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
    def test_without_its_metadata_a_picture_stays_upright(self, files, kept, dataset_id, file_format):
        sent = picture_bytes(60, 20, file_format=file_format, exif=turned_exif())

        (item,) = files.store(dataset_id, upload({"cat.png": sent}), strip_exif=True)

        stored = kept()[dataset_id]
        assert set(stored) == {item.file_name}
        data = stored[item.file_name]
        assert (item.sha256, item.size_bytes) == (sha256_of(data), len(data))
        assert b"Somewhere" not in data
        with Image.open(io.BytesIO(data)) as picture:
            assert (picture.format, picture.size, dict(picture.getexif())) == (file_format, (20, 60), {})

    def test_a_bad_picture_is_named_also_when_metadata_is_stripped(self, files, kept, dataset_id):
        with pytest.raises(Rejected) as rejection:
            files.store(dataset_id, upload({"a.png": PNG, "broken.png": PNG[:40]}), strip_exif=True)

        assert [violation.field for violation in rejection.value.details] == ["broken.png"]
        assert kept() == {}

    def test_a_picture_that_is_not_here_is_known_to_be_missing(self, files, dataset_id):
        here, away = files.store(dataset_id, upload({"a.png": PNG, "b.png": JPEG}))
        elsewhere = replace(away, dataset_id=str(uuid.uuid4()))

        assert files.missing([here, elsewhere]) == [elsewhere]

    def test_a_missing_picture_is_fetched_into_its_place(self, files, kept, dataset_id):
        (item,) = files.store(str(uuid.uuid4()), upload({"cat.png": PNG}))
        wanted = replace(item, dataset_id=dataset_id)

        files.complete(wanted, lambda path: _append(path, PNG))

        assert files.missing([wanted]) == []
        assert kept()[dataset_id] == {item.file_name: PNG}

    def test_a_fetch_that_was_cut_off_goes_on_where_it_was(self, files, kept, dataset_id):
        (item,) = files.store(str(uuid.uuid4()), upload({"cat.png": PNG}))
        wanted = replace(item, dataset_id=dataset_id)

        def cut_off(path: str) -> None:
            _append(path, PNG[:20])
            raise StoreUnavailable("The network is away.")

        with pytest.raises(StoreUnavailable, match="network"):
            files.complete(wanted, cut_off)
        assert files.missing([wanted]) == [wanted]

        files.complete(wanted, lambda path: _append(path, PNG[20:]))
        assert kept()[dataset_id] == {item.file_name: PNG}

    def test_another_picture_than_the_one_that_was_uploaded_is_refused_and_not_kept(self, files, kept, dataset_id):
        (item,) = files.store(str(uuid.uuid4()), upload({"cat.png": PNG}))
        wanted = replace(item, dataset_id=dataset_id)

        with pytest.raises(Rejected) as rejection:
            files.complete(wanted, lambda path: _append(path, JPEG))

        assert rejection.value.code == "OBJECT_CHANGED"
        assert not kept().get(dataset_id)
        files.complete(wanted, lambda path: _append(path, PNG))
        assert files.missing([wanted]) == []

    def test_what_is_added_comes_behind_what_is_there(self, files, kept, dataset_id):
        present = files.store(dataset_id, upload({"b.png": PNG}))

        (sent,) = files.add(dataset_id, upload({"a.jpg": JPEG, "a.txt": b"a cat"}), present=present)

        item = sent.item
        assert (sent.name, sent.is_new, item.original_name, item.caption) == ("a.jpg", True, "a.jpg", "a cat")
        assert item.file_name.startswith("00002-")
        assert kept() == {dataset_id: {"00001.png": PNG, item.file_name: JPEG}}
        assert files.preview(item)

    @pytest.mark.parametrize("strip_exif", [False, True])
    def test_what_is_there_by_its_bytes_is_answered_as_such_and_kept_once(self, files, kept, dataset_id, strip_exif):
        present = files.store(dataset_id, upload({"cat.png": PNG}), strip_exif=strip_exif)
        sent = {"again.png": PNG, "new.jpg": JPEG, "twin.jpg": JPEG}

        again, new, twin = files.add(dataset_id, upload(sent), present=present, strip_exif=strip_exif)

        assert (again.name, again.item, again.is_new) == ("again.png", present[0], False)
        assert (new.is_new, twin.item, twin.is_new) == (True, new.item, False)
        assert set(kept()[dataset_id]) == {"00001.png", new.item.file_name}

    def test_an_addition_with_bad_files_names_each_and_leaves_the_dataset_as_it_was(self, files, kept, dataset_id):
        present = files.store(dataset_id, upload({"cat.png": PNG}))
        before = kept()
        sent = {"broken.png": PNG[:40], "good.jpg": JPEG, "lonely.txt": b"a caption", "script.svg": b"<svg/>"}

        with pytest.raises(Rejected) as rejection:
            files.add(dataset_id, upload(sent), present=present)

        assert {violation.field for violation in rejection.value.details} == {"broken.png", "lonely.txt", "script.svg"}
        assert kept() == before

    @pytest.mark.parametrize(
        ("first", "more"),
        [
            ({f"{number}.txt": b"a cat" for number in range(3)}, {"new.jpg": JPEG}),
            ({"1.png": PNG + b"\0" * 40_000}, {"new.png": PNG + b"\1" * 40_000}),
        ],
        ids=["too many files", "too large together"],
    )
    def test_the_limits_hold_for_a_dataset_as_a_whole(self, files, kept, dataset_id, first, more):
        pictures = {f"{number}.png": PNG + bytes([number]) for number in range(3)}
        present = files.store(dataset_id, upload(pictures | first))
        before = kept()

        with pytest.raises(TooLarge, match="A dataset may have at most"):
            files.add(dataset_id, upload(more), present=present)

        assert kept() == before

    def test_two_additions_at_once_do_not_touch_each_others_files(self, files, kept, dataset_id):
        present = files.store(dataset_id, upload({"cat.png": PNG}))
        (one,) = files.add(dataset_id, upload({"new.jpg": JPEG}), present=present)
        (other,) = files.add(dataset_id, upload({"new.webp": WEBP}), present=present)

        files.discard([one.item])
        files.discard([one.item])

        assert kept() == {dataset_id: {"00001.png": PNG, other.item.file_name: WEBP}}
        with pytest.raises(NotFound):
            files.preview(one.item)

    def test_what_was_added_to_a_dataset_that_is_gone_leaves_nothing_when_it_is_discarded(
        self, files, kept, dataset_id
    ):
        sent = files.add(dataset_id, upload({"cat.png": PNG, "dog.jpg": JPEG}), present=[])

        files.discard([each.item for each in sent])

        assert kept() == {}

    def test_a_version_stays_what_it_is_when_pictures_are_added(self, files, kept, dataset_id):
        present = files.store(dataset_id, upload({"cat.png": PNG}))
        old = version_of(dataset_id, present, at=NOW)
        files.freeze(old, in_use=())

        (sent,) = files.add(dataset_id, upload({"dog.jpg": JPEG}), present=present)
        new = version_of(dataset_id, [*present, sent.item], at=NOW)
        files.freeze(new, in_use={old.sha256})

        assert _version(kept(), old) == {"00001.png": PNG}
        assert _version(kept(), new) == {"00001.png": PNG, sent.item.file_name: JPEG}


def _append(path: str, data: bytes) -> None:
    with Path(path).open("ab") as file:
        file.write(data)


def _version(kept: dict[str, dict[str, bytes]], version: DatasetVersion) -> dict[str, bytes]:
    """The files of a version by name."""
    top = f"versions/{version.sha256}/"
    files = kept[version.dataset_id].items()
    return {path.removeprefix(top): data for path, data in files if path.startswith(top)}
