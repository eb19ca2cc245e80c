"""Archives made to fill the disk, the memory or the patience of whoever unpacks them: one row each, none leaves a
trace."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest

from orchestrator.adapters.filesystem.dataset_files import FilesystemDatasetFiles
from orchestrator.domain.dataset import UploadLimits
from orchestrator.domain.errors import Rejected, TooLarge
from tests.factories import MIB, picture_bytes, upload, zip_bytes

DATASET = "7f9c1d7e-0000-4000-8000-000000000005"
PNG = picture_bytes()
LIMITS = UploadLimits(max_bytes=4 * MIB, max_files=100, max_file_bytes=2 * MIB)
MAX_MEMORY_BYTES = 16 * MIB  # of this process; the one that decodes has a limit of its own

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")


def packed(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in members:
            archive.writestr(entry, content)
    return file.getvalue()


def many_members(count: int) -> bytes:
    """One member, listed `count` times; the end record can only count to 65,535."""
    archive = packed(("cat.png", PNG))
    end = archive.rfind(b"PK\x05\x06")
    begin = archive.find(b"PK\x01\x02")
    directory = archive[begin:end] * count
    record = _END.pack(b"PK\x05\x06", 0, 0, count % 65_536, count % 65_536, len(directory), begin, 0)
    return archive[:begin] + directory + record


def overlapping() -> bytes:
    """Members of different names that share one packed megabyte."""
    archive = packed(("00.png", b"\0" * MIB))
    end, begin = archive.rfind(b"PK\x05\x06"), archive.find(b"PK\x01\x02")
    entry = archive[begin:end]
    directory = b"".join(entry.replace(b"00.png", f"{number:02d}.png".encode()) for number in range(50))
    return archive[:begin] + directory + _END.pack(b"PK\x05\x06", 0, 0, 50, 50, len(directory), begin, 0)


def with_declared_size(size_bytes: int) -> bytes:
    """A picture whose entry says that it unpacks to something else."""
    archive = bytearray(packed(("cat.png", PNG)))
    begin = archive.find(b"PK\x01\x02")
    fields = list(_CENTRAL.unpack_from(archive, begin))
    fields[9] = size_bytes
    _CENTRAL.pack_into(archive, begin, *fields)
    return bytes(archive)


def encrypted() -> bytes:
    archive = bytearray(packed(("cat.png", PNG)))
    for mark, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        archive[archive.find(mark) + flags_at] |= 1
    return bytes(archive)


def nested(depth: int) -> bytes:
    """The pattern of 42.zip: zips of sixteen equal zips."""
    inner = packed(("0.png", b"\0" * MIB))
    for _ in range(depth):
        inner = packed(*((f"{number}.zip", inner) for number in range(16)))
    return inner


def special(kind: int) -> bytes:
    entry = zipfile.ZipInfo("cat.png")
    entry.external_attr = (kind | 0o777) << 16
    return packed((entry, b"/etc/passwd"))


HOSTILE: dict[str, tuple[Callable[[], bytes], type[Rejected], str]] = {
    "42-style bomb": (lambda: nested(5), Rejected, "neither a picture"),
    "one member that unpacks to much": (lambda: packed(("a.png", b"\0" * 2 * MIB)), TooLarge, "times its packed size"),
    "caption that unpacks to much": (
        lambda: packed(("a.png", PNG), ("a.txt", b" " * 2 * MIB)),
        Rejected,
        "more than 4000 characters",
    ),
    "members that share their bytes": (overlapping, TooLarge, "times its packed size"),
    "a hundred thousand members": (lambda: many_members(100_000), TooLarge, "lists more than"),
    "members beyond what the end record counts": (lambda: many_members(65_541), TooLarge, "lists more than"),
    "more members than a dataset may have": (lambda: many_members(101), TooLarge, "at most 100 files"),
    "a size that lies low": (lambda: with_declared_size(10), Rejected, "damaged"),
    "encrypted": (encrypted, Rejected, "is encrypted"),
    "truncated": (lambda: packed(("cat.png", PNG))[:-40], Rejected, "not a zip"),
    "truncated at its beginning": (lambda: packed(("cat.png", PNG))[60:], Rejected, "damaged"),
    "zip in a zip": (lambda: packed(("inner.zip", zip_bytes({"cat.png": PNG}))), Rejected, "neither a picture"),
    "symbolic link": (lambda: special(stat.S_IFLNK), Rejected, "is a link"),
    "names that come twice": (lambda: many_members(2), Rejected, "appears twice"),
    "executable": (lambda: packed(("run.sh", b"#!/bin/sh")), Rejected, "neither a picture"),
    "web page that calls itself a picture": (
        lambda: packed(("cat.png", b"<script>alert(1)</script>")),
        Rejected,
        "not a readable",
    ),
}


@pytest.fixture
def files(data_dir):
    return FilesystemDatasetFiles(data_dir, limits=LIMITS)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_with_a_reason_in_bounded_memory_and_leaves_nothing(files, data_dir, name):
    build, refusal, reason = HOSTILE[name]
    sent = upload({"set.zip": build()})

    tracemalloc.start()
    with pytest.raises(refusal) as refused:
        files.store(DATASET, sent)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    said = [refused.value.message, *(violation.message for violation in refused.value.details)]
    assert any(reason in sentence for sentence in said), said
    assert type(refused.value) is refusal
    assert peak_bytes < MAX_MEMORY_BYTES
    assert list((data_dir / "datasets").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "/".join(["deep"] * 300) + "/cat.png",
        "../" * 40 + "etc/cat.png",
        "/etc/cat.png",
        "C:\\windows\\cat.png",
        "cat\x1b[31m\n.png",
        "ca\u202et.png",
        "x" * 5_000 + ".png",
    ],
    ids=["300 levels", "climbing", "absolute", "windows", "escape codes", "writing direction", "endless"],
)
def test_a_hostile_name_is_never_a_path(files, data_dir, name):
    (item,) = files.store(DATASET, upload({"set.zip": packed((name, PNG))}))

    assert item.file_name == "00001.png"
    assert len(item.original_name) <= 255
    assert not set(item.original_name) & {"\x1b", "\n", "\\"}
    assert [path.name for path in data_dir.rglob("*.png")] == ["00001.png"]
    files.remove(DATASET)
    assert list((data_dir / "datasets").iterdir()) == []


def test_names_that_differ_in_case_alone_are_two_pictures(files):
    items = files.store(DATASET, upload({"set.zip": packed(("x.png", PNG), ("X.PNG", PNG))}))

    assert [item.file_name for item in items] == ["00001.png", "00002.png"]


def test_a_size_that_lies_high_does_no_harm(files):
    (item,) = files.store(DATASET, upload({"set.zip": with_declared_size(2**31)}))

    assert item.size_bytes == len(PNG)
