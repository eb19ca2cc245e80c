"""Taking an upload in: sorting pictures from captions, and counting every byte while it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, BinaryIO

from orchestrator.adapters.uploads.archive import READ_ERRORS, Member, members_of
from orchestrator.domain.dataset import CAPTION_SUFFIX, IMAGE_SUFFIXES, UploadLimits, clean_caption, without_control
from orchestrator.domain.errors import TooLarge, Violation
from orchestrator.ports.dataset_store import UploadedFile

_CHUNK_BYTES = 256 * 1024
_MAX_NAME_LENGTH = 255
_MAX_BYTES_PER_CHARACTER = 4
# A few short lines pack better than any limit on the ratio would allow, and cannot hurt.
_RATIO_FREE_BYTES = 64 * 1024
_CLUTTER = ("thumbs.db", "desktop.ini")

Keep = Callable[[int], BinaryIO]


@dataclass(frozen=True, slots=True)
class ReceivedPicture:
    """A picture as it came; `number` says where `keep` put its bytes."""

    number: int
    name: str
    size_bytes: int
    sha256: str


@dataclass(slots=True)
class Received:
    pictures: list[ReceivedPicture] = field(default_factory=list)
    captions: dict[str, str | None] = field(default_factory=dict)  # the client's name without suffix -> text
    violations: list[Violation] = field(default_factory=list)


def receive(files: Sequence[UploadedFile], limits: UploadLimits, keep: Keep) -> Received:
    """Everything in an upload, pictures written to what `keep(number)` opens.

    Raises TooLarge beyond the limits and Rejected for a zip that is none; what is wrong with a single file is noted.
    """
    intake = _Intake(limits, keep)
    for member in members_of(files, limits):
        intake.take(member)
    return intake.received


def stem_of(name: str) -> str:
    """What a picture and its caption share: the client's whole name, folders included, without the suffix."""
    return name.rpartition(".")[0]


def clean_name(name: str) -> str:
    """A client's file name, fit to be shown and stored: no control characters, no lone surrogates, not endless."""
    text = name.replace("\\", "/").encode("utf-8", errors="replace").decode("utf-8")
    return without_control(text)[-_MAX_NAME_LENGTH:]


class _Intake:
    def __init__(self, limits: UploadLimits, keep: Keep) -> None:
        self._limits = limits
        self._keep = keep
        self._seen: set[str] = set()
        self._room_bytes = limits.max_bytes
        self.received = Received()

    def take(self, member: Member) -> None:
        name = clean_name(member.name)
        if _is_clutter(name):
            return
        problem = member.problem
        if problem is None and name in self._seen:
            problem = "appears twice"
        self._count(name)
        if problem is None:
            try:
                problem = self._read(name, member)
            except READ_ERRORS:
                problem = "is damaged"
        if problem is not None:
            self.received.violations.append(Violation(name, f"The file {problem}."))

    def _count(self, name: str) -> None:
        self._seen.add(name)
        files = len(self.received.pictures) + len(self.received.captions) + len(self.received.violations)
        if files >= self._limits.max_files:
            raise TooLarge(f"A dataset may have at most {self._limits.max_files} files.")

    def _read(self, name: str, member: Member) -> str | None:
        """What is wrong with the file, None when it was taken in."""
        suffix = "." + name.rpartition(".")[2].lower()
        if suffix in IMAGE_SUFFIXES:
            self._read_picture(name, member)
            return None
        if suffix == CAPTION_SUFFIX:
            return self._read_caption(name, member)
        return f"is neither a picture ({', '.join(IMAGE_SUFFIXES)}) nor a caption ({CAPTION_SUFFIX})"

    def _read_picture(self, name: str, member: Member) -> None:
        number = len(self.received.pictures)
        with closing(member.open()) as source, self._keep(number) as target:
            size_bytes, sha256 = self._copy(name, source, target, member.packed_bytes)
        self.received.pictures.append(ReceivedPicture(number, name, size_bytes, sha256))

    def _copy(self, name: str, source: IO[bytes], target: BinaryIO, packed_bytes: int | None) -> tuple[int, str]:
        digest = hashlib.sha256()
        size_bytes = 0
        while chunk := source.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            self._spend(name, len(chunk), size_bytes, packed_bytes)
            digest.update(chunk)
            target.write(chunk)
        return size_bytes, digest.hexdigest()

    def _spend(self, name: str, chunk_bytes: int, size_bytes: int, packed_bytes: int | None) -> None:
        limits = self._limits
        self._room_bytes -= chunk_bytes
        if self._room_bytes < 0:
            raise TooLarge(f"A dataset may have at most {limits.max_bytes} bytes, unpacked.")
        if size_bytes > limits.max_file_bytes:
            raise TooLarge(f"The file {name} is larger than {limits.max_file_bytes} bytes.")
        if packed_bytes is not None and size_bytes > max(_RATIO_FREE_BYTES, packed_bytes * limits.max_ratio):
            raise TooLarge(f"The file {name} unpacks to more than {limits.max_ratio} times its packed size.")

    def _read_caption(self, name: str, member: Member) -> str | None:
        longest_bytes = self._limits.max_caption_length * _MAX_BYTES_PER_CHARACTER
        with closing(member.open()) as source:
            data = source.read(longest_bytes + 1)
        self._spend(name, len(data), len(data), member.packed_bytes)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return "is a caption that is not UTF-8" if len(data) <= longest_bytes else self._too_long()
        caption = clean_caption(text)
        if len(caption or "") > self._limits.max_caption_length or len(data) > longest_bytes:
            return self._too_long()
        self.received.captions[stem_of(name)] = caption
        return None

    def _too_long(self) -> str:
        return f"is a caption of more than {self._limits.max_caption_length} characters"


def _is_clutter(name: str) -> bool:
    """What operating systems put beside people's files."""
    base = name.rpartition("/")[2]
    return base.startswith(".") or base.lower() in _CLUTTER or name.startswith("__MACOSX/")
