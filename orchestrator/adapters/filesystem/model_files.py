"""ModelFiles on a local disk: models/ under the data folder. A download gathers beside its place and is renamed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.filesystem.measuring import measure_tree
from orchestrator.adapters.filesystem.model_manifest import read_manifest, write_manifest
from orchestrator.domain.errors import PortError
from orchestrator.domain.model import CatalogueEntry, ModelFile, ModelSnapshot
from orchestrator.ports.model_files import FetchedModel, SpareFolder

_STAGING = ".download-"
_TRASH = ".trash"  # emptied by retention
_CHUNK_BYTES = 1024 * 1024
_MAX_ENTRIES, _MAX_SECONDS = 100_000, 30.0


class FilesystemModelFiles:
    def __init__(self, data_dir: Path) -> None:
        self._cache = data_dir / "models"

    def fetched(self, entry: CatalogueEntry) -> FetchedModel | None:
        found = read_manifest(self._cache / entry.folder)
        if found is None:
            return None
        return FetchedModel(revision=found.revision, size_bytes=found.size_bytes, fetched_at=found.fetched_at)

    def staging(self, entry: CatalogueEntry, *, revision: str) -> str:
        path = self._staging(entry, revision)
        with _disk_trouble(path):
            path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def staged_bytes(self, entry: CatalogueEntry, *, revision: str) -> int:
        path = self._staging(entry, revision)
        return _size_bytes(path) if path.is_dir() else 0

    def install(self, entry: CatalogueEntry, snapshot: ModelSnapshot, *, at: datetime) -> None:
        staging, target = self._staging(entry, snapshot.revision), self._cache / entry.folder
        with _disk_trouble(target):
            write_manifest(staging, entry.id, snapshot, at=at)
            _open_to_readers(staging)
            self.remove(entry.folder)
            staging.rename(target)

    def verify(self, entry: CatalogueEntry) -> Sequence[str]:
        folder = self._cache / entry.folder
        manifest = read_manifest(folder)
        if manifest is None:
            return [f"{entry.folder} has no record of what its files have to be: it was put there by hand."]
        return [problem for file in manifest.files if (problem := _problem(folder, file))]

    def spare(self, catalogue: Sequence[CatalogueEntry], *, under_way: Collection[str]) -> Sequence[SpareFolder]:
        names = sorted(path.name for path in self._cache.iterdir()) if self._cache.is_dir() else []
        offered = {entry.folder for entry in catalogue}
        gathering = {entry.folder for entry in catalogue if entry.id in under_way}
        spare = [name for name in names if self._is_spare(name, offered, gathering)]
        return [SpareFolder(name, _size_bytes(self._cache / name)) for name in spare]

    def remove(self, name: str) -> None:
        path, trash = self._cache / name, self._cache / _TRASH
        with _disk_trouble(path):
            if path.exists():
                trash.mkdir(mode=0o700, exist_ok=True)
                path.rename(trash / uuid.uuid4().hex)

    def _is_spare(self, name: str, offered: Collection[str], gathering: Collection[str]) -> bool:
        if name.startswith(_STAGING):
            return name.removeprefix(_STAGING).partition("@")[0] not in gathering
        # What has no manifest was put there by hand, and is left to that hand.
        return not name.startswith(".") and name not in offered and read_manifest(self._cache / name) is not None

    def _staging(self, entry: CatalogueEntry, revision: str) -> Path:
        return self._cache / f"{_STAGING}{entry.folder}@{revision}"


def _problem(folder: Path, file: ModelFile) -> str | None:
    path = folder / file.path
    try:
        found_bytes = path.stat().st_size
        if found_bytes != file.size_bytes:
            return f"{file.path} has {found_bytes} bytes instead of {file.size_bytes}."
        return None if file.is_made_of(_chunks(path)) else f"{file.path} has another content than its checksum says."
    except OSError as error:
        return f"{file.path} cannot be read: {error.strerror}."


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            yield chunk


def _open_to_readers(folder: Path) -> None:
    """Training containers run as a user of their own."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _size_bytes(path: Path) -> int:
    return measure_tree(path, max_entries=_MAX_ENTRIES, max_seconds=_MAX_SECONDS)


@contextmanager
def _disk_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortError(f"{path} could not be put into place: {error.strerror}.") from error
