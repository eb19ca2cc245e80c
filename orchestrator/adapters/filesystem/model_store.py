"""ModelStore on a local disk: configs/models.yaml says what may be used, models/ under the data folder holds it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from orchestrator.adapters.filesystem.catalogue import read_catalogue
from orchestrator.adapters.filesystem.copying import copy_tree
from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.model_manifest import read_manifest
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.untrusted import FileRules
from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.model import INDEX, MODEL_SUFFIXES, CatalogueEntry

_MODEL_FILES = FileRules(suffixes=MODEL_SUFFIXES)


class FilesystemModelStore:
    """Raises Rejected (CATALOGUE_REFUSED): an installation with a broken catalogue does not start."""

    def __init__(self, data_dir: Path, *, catalogue: Path, owner: Owner) -> None:
        self._cache = data_dir / "models"
        self._owner = owner
        self._entries = read_catalogue(catalogue)

    def catalogue(self) -> Sequence[CatalogueEntry]:
        return self._entries

    def is_ready(self, entry: CatalogueEntry) -> bool:
        """A fetched model of another revision than the catalogue's pin is not it; one put there by hand is."""
        folder = self._cache / entry.folder
        if not (folder / INDEX).is_file():
            return False
        manifest = read_manifest(folder) if entry.is_pinned else None
        return manifest is None or manifest.revision == entry.revision

    def revision(self, entry: CatalogueEntry) -> str:
        manifest = read_manifest(self._cache / entry.folder)
        return manifest.revision if manifest is not None else entry.revision

    def cache_path(self) -> str:
        self._cache.mkdir(parents=True, exist_ok=True)
        return str(self._cache)

    def begin(self, entry: CatalogueEntry) -> str:
        staging = Path(self.cache_path()) / f".staging-{entry.folder}-{uuid.uuid4().hex}"
        staging.mkdir(mode=0o700)
        self._owner.take(staging)
        return str(staging)

    def publish(self, entry: CatalogueEntry, staging: str) -> None:
        """Copies rather than moves: what a container wrote may hold links, and belongs to the container's user."""
        sealed = self._cache / f".sealed-{entry.folder}-{uuid.uuid4().hex}"
        target = self._cache / entry.folder
        try:
            if not target.exists():
                copy_tree(Path(staging) / entry.folder, sealed, _MODEL_FILES)
                (sealed / INDEX).stat()
                sealed.rename(target)
        except FileNotFoundError as error:
            message = f"Base model {entry.id} was built without a {INDEX}: look at the training image's build_model.py."
            raise LaunchRefused(EndReason.BASE_MODEL_UNAVAILABLE, message) from error
        finally:
            delete_tree(sealed)

    def discard(self, staging: str) -> None:
        delete_tree(Path(staging))
