"""How much of the disk a tree takes that a container goes on writing to, whatever its shape."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.ports.workspace import BEYOND_MEASURE

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTRY_BYTES = 4096  # an empty file takes an inode and a name
_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system's own
_MAX_ENTRIES = 100_000
_MAX_SECONDS = 1.0


def measure_tree(path: Path, *, max_entries: int = _MAX_ENTRIES, max_seconds: float = _MAX_SECONDS) -> int:
    """Bytes in allocated blocks plus a charge for each entry; links are counted, not followed.

    BEYOND_MEASURE for a tree of more than `max_entries`; what was counted so far after `max_seconds`.
    """
    deadline = time.monotonic() + max_seconds
    size_bytes = 0
    for count, entry_bytes in enumerate(_entries(path), start=1):
        if count > max_entries:
            return BEYOND_MEASURE
        size_bytes += entry_bytes
        if time.monotonic() > deadline:
            break
    return size_bytes


class _Position:
    """The folder that a walk stands in, open; with one descriptor no tree is too deep."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, _DIRECTORY)

    @property
    def identity(self) -> tuple[int, int]:
        found = os.fstat(self.descriptor)
        return found.st_dev, found.st_ino

    def move(self, name: str) -> bool:
        """Into the folder `name`, or not: it may be gone, closed, or something else by now."""
        try:
            there = os.open(name, _DIRECTORY, dir_fd=self.descriptor)
        except OSError:
            return False
        os.close(self.descriptor)
        self.descriptor = there
        return True

    def close(self) -> None:
        os.close(self.descriptor)


@dataclass(frozen=True, slots=True)
class _Level:
    """A folder on the way down, and which of its folders are still to be entered."""

    identity: tuple[int, int]
    folders: list[str]


def _entries(path: Path) -> Iterator[int]:
    """The bytes of each entry below a folder. Ends early when the container moves the folder that it stands in."""
    try:
        position = _Position(path)
    except OSError:
        return
    with closing(position):
        levels = [_Level(position.identity, [])]
        yield from _looked_at(position, levels[-1].folders)
        while levels:
            if levels[-1].folders:
                if position.move(levels[-1].folders.pop()):
                    levels.append(_Level(position.identity, []))
                    yield from _looked_at(position, levels[-1].folders)
                continue
            levels.pop()
            if levels and not (position.move("..") and position.identity == levels[-1].identity):
                return


def _looked_at(position: _Position, folders: list[str]) -> Iterator[int]:
    """The bytes of each entry of one folder; its folders are noted in `folders`."""
    with suppress(OSError), os.scandir(position.descriptor) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    folders.append(entry.name)
                yield _ENTRY_BYTES + found.st_blocks * _BLOCK_BYTES
