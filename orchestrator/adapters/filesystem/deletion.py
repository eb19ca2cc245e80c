"""Deleting trees of any depth: recursion would run out of stack, and a path out of length."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from orchestrator.adapters.filesystem.untrusted import is_directory, names_in, open_directory

_OURS = 0o700  # a folder the container closed to everyone must be opened before it can be emptied


def delete_tree(path: Path) -> None:
    """Delete a folder with everything in it, following no link. Safe to repeat; raises OSError.

    Each folder's subfolders are moved up to the top before it is removed, so nothing is ever more than one level away.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    path.chmod(_OURS)
    with open_directory(path) as top:
        while names := names_in(top):
            for name in names:
                _remove_entry(name, top)
    path.rmdir()


def _remove_entry(name: str, top: int) -> None:
    if not is_directory(name, parent=top):
        os.unlink(name, dir_fd=top)
        return
    os.chmod(name, _OURS, dir_fd=top)
    with open_directory(name, parent=top) as folder:
        for below in names_in(folder):
            if is_directory(below, parent=folder):
                os.chmod(below, _OURS, dir_fd=folder)
                os.rename(below, uuid.uuid4().hex, src_dir_fd=folder, dst_dir_fd=top)
            else:
                os.unlink(below, dir_fd=folder)
    os.rmdir(name, dir_fd=top)
