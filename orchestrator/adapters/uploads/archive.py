"""The files in an upload: as they came, or the members of the one zip that came. Nothing is extracted by name."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO

from orchestrator.domain.dataset import UploadLimits
from orchestrator.domain.errors import Rejected, TooLarge, Violation
from orchestrator.ports.dataset_store import UploadedFile

# What reading a damaged or odd member can raise.
READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others need memory as the archive pleases
_ENCRYPTED = 0x1
_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_ZIP64_MARK = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_MAX_COMMENT_BYTES = 65_535
_MAX_DIRECTORY_BYTES_PER_FILE = 1_024


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an upload. `packed_bytes` is None when it did not come out of a zip."""

    name: str
    open: Callable[[], IO[bytes]]
    packed_bytes: int | None = None
    problem: str | None = None  # why it must not be read


def members_of(files: Sequence[UploadedFile], limits: UploadLimits) -> Iterator[Member]:
    """Raises Rejected for a zip that is none, TooLarge for one with too many members."""
    if len(files) == 1 and files[0].name.lower().endswith(".zip"):
        yield from _zip_members(files[0], limits)
        return
    for file in files:
        yield Member(file.name, lambda content=file.content: content)  # type: ignore[misc]


def _zip_members(file: UploadedFile, limits: UploadLimits) -> Iterator[Member]:
    _require_small_directory(file.content, limits)
    try:
        with zipfile.ZipFile(file.content) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    yield _zip_member(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _no_zip(f"is not a readable zip: {error}") from error


def _zip_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    return Member(entry.filename, lambda: archive.open(entry), entry.compress_size, _problem_of(entry))


def _problem_of(entry: zipfile.ZipInfo) -> str | None:
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    if entry.compress_type not in _METHODS:
        return "is packed with a method other than deflate"
    return None


def _require_small_directory(content: BinaryIO, limits: UploadLimits) -> None:
    """zipfile reads the whole table of contents into memory, so its size is looked at first."""
    size_bytes = content.seek(0, 2)
    content.seek(max(0, size_bytes - _END.size - _MAX_COMMENT_BYTES))
    tail = content.read()
    content.seek(0)
    begin = _end_record(tail)
    if begin < 0:
        raise _no_zip("is not a zip")
    if tail[max(0, begin - _ZIP64_LOCATOR_BYTES) : begin].startswith(_ZIP64_MARK):
        raise _no_zip("is a zip64 archive, which nothing within the limits needs")
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack_from(tail, begin)
    too_many = entries > 2 * limits.max_files  # folders and clutter count too
    if too_many or directory_bytes > limits.max_files * _MAX_DIRECTORY_BYTES_PER_FILE:
        raise TooLarge(f"The zip lists more than the {limits.max_files} files that one dataset may have.")


def _end_record(tail: bytes) -> int:
    """Where zipfile will find the end record: at the very end, else wherever it comes last; -1 without one."""
    at_end = len(tail) - _END.size
    if at_end >= 0 and tail.startswith(_END_MARK, at_end) and tail.endswith(b"\0\0"):
        return at_end
    found = tail.rfind(_END_MARK)
    return found if found + _END.size <= len(tail) else -1


def _no_zip(problem: str) -> Rejected:
    return Rejected("The upload cannot be read.", details=[Violation("files", f"The zip {problem}.")])
