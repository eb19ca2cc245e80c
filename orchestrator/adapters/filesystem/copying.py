"""Copying what a container left into a folder it never sees."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.filesystem.untrusted import (
    FileRules,
    FoundFile,
    find,
    is_plain_name,
    open_below,
    open_directory,
    walk,
)
from orchestrator.ports.artifact_store import CollectedFile

_CHUNK_BYTES = 1024 * 1024


def copy_tree(source: Path, target: Path, rules: FileRules) -> tuple[CollectedFile, ...]:
    """Copy the files of `source` that `rules` accept, hashing on the way; the rest is left out. Safe to repeat."""
    copied: list[CollectedFile] = []
    room_bytes = rules.max_total_bytes
    with open_directory(source) as directory:
        for found in walk(directory, rules):
            if len(copied) == rules.max_files:
                break
            if found.size_bytes <= room_bytes:
                copied.append(_copy(found, target))
                room_bytes -= copied[-1].size_bytes
    return tuple(copied)


def copy_file(path: str, source: Path, target: Path, rules: FileRules) -> CollectedFile | None:
    """Copy the one file at `path` below `source`, None when `copy_tree` would leave it out. Raises OSError."""
    with open_directory(source) as directory:
        copied = [_copy(found, target) for found in find(path, directory, rules)]
    return copied[0] if copied else None


def copy_folder(path: str, source: Path, target: Path, rules: FileRules) -> tuple[CollectedFile, ...]:
    """Copy the files that lie in the folder at `path` below `source`; none where they are larger together than the
    rules allow one tree to be, or where the path is none that `copy_tree` would come by. Raises OSError."""
    folders = path.split("/")
    if not all(map(is_plain_name, folders)):
        return ()
    flat = replace(rules, max_depth=1)
    with open_directory(source) as directory, open_below(folders, directory) as folder:
        if sum(found.size_bytes for found in walk(folder, flat)) > rules.max_total_bytes:
            return ()
        return tuple(_copy(found, target) for found in walk(folder, flat, prefix=f"{path}/"))


def _copy(found: FoundFile, target: Path) -> CollectedFile:
    """Copies the size the file had when it was found, so one that still grows stays within the limits."""
    path = target / found.path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    digest = hashlib.sha256()
    size_bytes = 0
    with partial.open("wb") as copy:
        while chunk := os.read(found.descriptor, min(_CHUNK_BYTES, found.size_bytes - size_bytes)):
            copy.write(chunk)
            digest.update(chunk)
            size_bytes += len(chunk)
    partial.chmod(0o644)
    partial.replace(path)
    return CollectedFile(path=found.path, size_bytes=size_bytes, sha256=digest.hexdigest())
