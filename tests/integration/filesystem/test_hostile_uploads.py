"""Uploads made to fill the disk, the memory or the patience of whoever unpacks them."""

from __future__ import annotations

import io
import os
import stat
import struct
import time
import zipfile
import zlib
from functools import partial

import pytest

from orchestrator.adapters.filesystem.dataset_files import FilesystemDatasetFiles
from orchestrator.adapters.uploads.pictures import ToExamine, examine_all
from orchestrator.domain.dataset import UploadLimits
from orchestrator.domain.errors import Rejected, StoreUnavailable, TooLarge
from tests.factories import MIB, picture_bytes, upload, zip_bytes

DATASET = "7f9c1d7e-0000-4000-8000-000000000004"
PNG = picture_bytes()
LIMITS = UploadLimits(max_bytes=4 * MIB, max_files=10, max_file_bytes=2 * MIB, max_pixels=40_000_000)


@pytest.fixture
def files(data_dir):
    return FilesystemDatasetFiles(data_dir, limits=LIMITS)


def zip_with(*entries: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return file.getvalue()


def with_flipped_byte(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def link_entry() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("cat.png")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def huge_png(side: int) -> bytes:
    """A PNG of `side` x `side` pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((side // 8 + 2) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def problems_of(files, sent) -> list[str]:
    """The same for a new dataset and for one that is there."""
    contents = {each.name: each.content.read() for each in sent}
    found = []
    for take in (files.store, partial(files.add, present=())):
        with pytest.raises(Rejected) as rejection:
            take(DATASET, upload(contents))
        found.append([violation.message for violation in rejection.value.details])
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (zip_with((link_entry(), b"/etc/passwd")), "is a link"),
        (zip_with(("cat.png", PNG), method=zipfile.ZIP_LZMA), "packed with a method"),
        (zip_with(("inner.zip", zip_bytes({"cat.png": PNG}))), "neither a picture"),
        (with_flipped_byte(zip_bytes({"cat.png": PNG}), 60), "damaged"),
    ],
    ids=["link", "another method", "zip in a zip", "damaged"],
)
def test_an_odd_member_is_rejected_by_name(files, content, problem):
    assert any(problem in message for message in problems_of(files, upload({"set.zip": content})))


def test_a_member_that_climbs_out_is_only_a_name(files, data_dir):
    (item,) = files.store(DATASET, upload({"set.zip": zip_bytes({"../../../cat.png": PNG})}))

    assert item.file_name == "00001.png"
    assert [path.name for path in data_dir.rglob("*.png")] == ["00001.png"]


@pytest.mark.parametrize(
    "content",
    [
        zip_bytes({"cat.png": b"\0" * (MIB + 1)}),
        zip_bytes({f"{number}.png": b"" for number in range(5_000)}),
    ],
    ids=["ratio", "table of contents"],
)
def test_a_zip_bomb_is_too_large(files, data_dir, content):
    for take in (files.store, partial(files.add, present=())):
        with pytest.raises(TooLarge):
            take(DATASET, upload({"set.zip": content}))

    assert list((data_dir / "datasets").iterdir()) == []


def test_a_zip64_record_hidden_behind_a_small_end_record_is_rejected(files):
    content = zip_bytes({"cat.png": PNG})
    end = content.rfind(b"PK\x05\x06")
    hidden = content[:end] + b"PK\x06\x07" + b"\0" * 16 + content[end:]

    assert any("zip64" in message for message in problems_of(files, upload({"set.zip": hidden})))


@pytest.mark.parametrize(("side", "problem"), [(7_000, "pixels"), (13_000, "pixels"), (20_000, "pixels")])
def test_a_decompression_bomb_is_rejected_before_it_is_decoded(files, side, problem):
    (message,) = problems_of(files, upload({"bomb.png": huge_png(side)}))

    assert problem in message


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_half_a_picture_is_rejected_and_nothing_of_it_kept(files, data_dir, file_format):
    whole = picture_bytes(200, 200, file_format=file_format)

    (message,) = problems_of(files, upload({"cat.png": whole[: len(whole) // 2]}))

    assert "not a readable" in message
    assert list((data_dir / "datasets").iterdir()) == []


@pytest.mark.parametrize("behind", [b"<script>alert(1)</script>", zip_bytes({"evil.sh": b"#!/bin/sh"})])
def test_what_hides_behind_a_picture_is_never_shown(files, behind):
    (item,) = files.store(DATASET, upload({"cat.png": PNG + behind}))

    assert item.file_name == "00001.png"
    assert behind not in files.preview(item)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_an_animated_picture_is_rejected(files, file_format):
    from PIL import Image  # noqa: PLC0415 - only here

    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(file, format=file_format, save_all=True, append_images=frames[1:])

    assert problems_of(files, upload({"cat.png": file.getvalue()})) == ["The picture is animated."]


def test_exif_stays_in_the_picture(files, data_dir):
    from PIL import Image  # noqa: PLC0415 - only here

    exif = Image.Exif()
    exif[0x0112] = 6  # rotated
    sent = picture_bytes(file_format="JPEG", exif=exif)

    files.store(DATASET, upload({"cat.jpg": sent}))

    assert (data_dir / "datasets" / DATASET / "00001.jpg").read_bytes() == sent


def test_a_picture_that_kills_the_decoder_is_named_and_the_ones_behind_it_too(tmp_path):
    deadly = tmp_path / "deadly.py"
    deadly.write_text(
        "import json, os, sys\n"
        "json.load(sys.stdin)\n"
        "print(json.dumps({'suffix': '.png', 'width': 1, 'height': 1}), flush=True)\n"
        "print('{\"half', end='', flush=True)\n"
        "os.abort()\n"
    )

    pictures = [ToExamine(tmp_path / name, preview=tmp_path / f"{name}.jpg") for name in "abc"]
    findings = examine_all(pictures, 100, program=deadly)

    assert findings[0] == {"suffix": ".png", "width": 1, "height": 1}
    assert ["crash" in findings[1]["problem"], "not looked at" in findings[2]["problem"]] == [True, True]


def test_a_disk_without_room_for_previews_is_no_fault_of_the_picture(tmp_path):
    full = tmp_path / "full.py"
    full.write_text("import json, sys\njson.load(sys.stdin)\nprint(json.dumps({'errno': 28}), flush=True)\n")

    with pytest.raises(OSError, match="No space left"):
        examine_all([ToExamine(tmp_path / "a", preview=tmp_path / "a.jpg")], 100, program=full)


def test_a_dataset_is_readable_for_the_containers_user(files, data_dir):
    files.store(DATASET, upload({"cat.png": PNG, "cat.txt": b"a cat"}))

    folder = data_dir / "datasets" / DATASET
    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()} == {0o644}


def test_what_a_killed_upload_left_is_swept_after_a_day(files, data_dir):
    old, young = (data_dir / "datasets" / f".staging-{age}" for age in ("old", "young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))

    files.store(DATASET, upload({"cat.png": PNG}))

    assert (old.exists(), young.exists()) == (False, True)


def test_a_disk_that_says_no_is_the_stores_trouble_not_the_clients(tmp_path):
    (tmp_path / "datasets").write_text("a file where a folder should be")

    with pytest.raises(StoreUnavailable, match="could not be written"):
        FilesystemDatasetFiles(tmp_path).store(DATASET, upload({"cat.png": PNG}))
