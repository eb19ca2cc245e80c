"""DataFolder on a local disk. Each folder has its own trash, so that setting something aside is one rename."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.measuring import measure_tree
from orchestrator.domain.errors import PortError
from orchestrator.ports.data_folder import Folder, Staged

_SUFFIXES = {Folder.LOGS: ".log", Folder.CONFIGS: ".json", Folder.OUTPUTS: "", Folder.ARTIFACTS: ""}
_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STAGED = (".staging-", ".sealed-")
_TRASH = ".trash"
_OURS = 0o700  # moving a folder changes its "..", so even its owner must be allowed to write in it
# Beyond these a tree is deleted like any other, but its size is only said to be more than it was so far.
_MAX_ENTRIES = 10_000_000
_MAX_SECONDS = 30.0


class FilesystemDataFolder:
    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._models = data_dir / "models"

    def job_ids(self, folder: Folder) -> Sequence[str]:
        names = _names(self._data_dir / folder)
        stems = [name.removesuffix(_SUFFIXES[folder]) for name in names if name.endswith(_SUFFIXES[folder])]
        return [stem for stem in stems if _JOB_ID.fullmatch(stem)]

    def changed_at(self, folder: Folder, job_id: str) -> datetime:
        return _changed_at(self._path(folder, job_id))

    def size_bytes(self, folder: Folder, job_id: str) -> int:
        return sum(map(_size_bytes, self._paths(folder, job_id)))

    def set_aside(self, folder: Folder, job_id: str) -> None:
        for path in self._paths(folder, job_id):
            _move_to_trash(path)

    def staged_models(self) -> Sequence[Staged]:
        names = [name for name in _names(self._models) if name.startswith(_STAGED)]
        return [Staged(name, _changed_at(self._models / name)) for name in names]

    def staged_size_bytes(self, name: str) -> int:
        return _size_bytes(self._models / name)

    def set_staged_aside(self, name: str) -> None:
        _move_to_trash(self._models / name)

    def empty_trash(self) -> int:
        trashes = [self._data_dir / folder / _TRASH for folder in Folder] + [self._models / _TRASH]
        return sum(not _is_deleted(trash / name) for trash in trashes for name in _names(trash))

    def _paths(self, folder: Folder, job_id: str) -> list[Path]:
        """A diagnostic job has its rows beside its config."""
        if folder is Folder.CONFIGS:
            return sorted((self._data_dir / folder).glob(f"{job_id}.*"))
        return [self._path(folder, job_id)]

    def _path(self, folder: Folder, job_id: str) -> Path:
        return self._data_dir / folder / f"{job_id}{_SUFFIXES[folder]}"


def _move_to_trash(path: Path) -> None:
    trash = path.parent / _TRASH
    try:
        trash.mkdir(mode=0o700, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            path.chmod(_OURS)
        path.rename(trash / uuid.uuid4().hex)
    except FileNotFoundError:
        return
    except OSError as error:
        raise PortError(f"{path} could not be moved to {trash}: {error.strerror}.") from error


def _is_deleted(path: Path) -> bool:
    try:
        delete_tree(path)
    except OSError:
        return not os.path.lexists(path)
    return True


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []


def _changed_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.min.replace(tzinfo=UTC)


def _size_bytes(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        return measure_tree(path, max_entries=_MAX_ENTRIES, max_seconds=_MAX_SECONDS)
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
