"""Putting collected files back where a container will look for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.ownership import Owner


def restore(folder: Path, files: Mapping[str, str], *, staging: Path, owner: Owner) -> bool:
    """Make `folder` of `files` (path below it -> a copy's own path), whole or not at all; False where it exists.

    Nothing of it is written through the container's own folders, where any name may be a link. Raises OSError.
    """
    if os.path.lexists(folder):
        return False
    delete_tree(staging)  # what a process that was killed left
    _make_folder(staging, owner)
    for path, source in files.items():
        target = staging / path
        for parent in reversed(target.relative_to(staging).parents[:-1]):
            _make_folder(staging / parent, owner)
        shutil.copyfile(source, target)
        owner.take(target)
    staging.rename(folder)
    return True


def _make_folder(folder: Path, owner: Owner) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        owner.take(folder)
