"""Reading folders a container wrote, where every name may be a link, a FIFO or a trap.

Nothing is opened by a path of more than one component: each folder is opened from its parent's descriptor without
following links, and a file is looked at only after it was opened without blocking.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """Which files of an untrusted tree are worth having."""

    suffixes: tuple[str, ...]
    max_files: int = 2_000
    max_file_bytes: int = 8 * 1024**3
    max_total_bytes: int = 32 * 1024**3
    max_depth: int = 8
    spared: frozenset[str] = frozenset()  # paths, relative to the walk's beginning, that it passes by

    def accepts_path(self, path: str) -> bool:
        """Whether a relative path is one that a walk could have yielded."""
        parts = path.split("/")
        return len(parts) <= self.max_depth and all(map(is_plain_name, parts)) and path.endswith(self.suffixes)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """An open regular file; `path` is relative to the walk's beginning. It is closed when the walk goes on."""

    path: str
    descriptor: int
    size_bytes: int


def is_plain_name(name: str) -> bool:
    return _PLAIN_NAME.fullmatch(name) is not None


@contextmanager
def open_directory(path: str | os.PathLike[str], *, parent: int | None = None) -> Iterator[int]:
    """A descriptor of a folder that is no link. Raises OSError."""
    descriptor = os.open(path, _DIRECTORY, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def open_regular(name: str, *, parent: int) -> Iterator[int | None]:
    """A descriptor of a regular file with a single name, or None for anything else. Raises FileNotFoundError."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError:  # a link, a socket, a file nobody may read
        yield None
        return
    try:
        found = os.fstat(descriptor)
        yield descriptor if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 else None
    finally:
        os.close(descriptor)


def walk(directory: int, rules: FileRules, *, depth: int = 1, prefix: str = "") -> Iterator[FoundFile]:
    """The regular files below an open folder that `rules` accept by name and size, in order of names."""
    for name in filter(is_plain_name, names_in(directory)):
        path = prefix + name
        if is_directory(name, parent=directory):
            if depth < rules.max_depth:
                yield from _walk_below(directory, name, rules, depth=depth + 1, prefix=f"{path}/")
        elif name.endswith(rules.suffixes):
            yield from _found(directory, name, path, rules)


def find(path: str, directory: int, rules: FileRules) -> Iterator[FoundFile]:
    """The file that `walk` would yield at this path, if any. Raises OSError when a folder of it cannot be opened."""
    if not rules.accepts_path(path):
        return
    *folders, name = path.split("/")
    with open_below(folders, directory) as folder:
        yield from _found(folder, name, path, rules)


@contextmanager
def open_below(folders: Sequence[str], directory: int) -> Iterator[int]:
    """A descriptor of the folder at these names below an open one, none of them a link. Raises OSError."""
    with ExitStack() as opened:
        for folder in folders:
            directory = opened.enter_context(open_directory(folder, parent=directory))
        yield directory


def _walk_below(directory: int, name: str, rules: FileRules, *, depth: int, prefix: str) -> Iterator[FoundFile]:
    try:
        with open_directory(name, parent=directory) as below:
            yield from walk(below, rules, depth=depth, prefix=prefix)
    except PermissionError:
        return


def _found(directory: int, name: str, path: str, rules: FileRules) -> Iterator[FoundFile]:
    with open_regular(name, parent=directory) as descriptor:
        if descriptor is None or path in rules.spared:
            return
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes <= rules.max_file_bytes:
            yield FoundFile(path, descriptor, size_bytes)


def names_in(directory: int) -> list[str]:
    return sorted(os.listdir(directory))


def is_directory(name: str, *, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
