"""ModelStore on a local disk: configs/models.yaml says what may be used, models/ under the data folder holds it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestrator.adapters.filesystem.copying import copy_tree
from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.untrusted import FileRules
from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.model import CatalogueEntry, ModelSource

_INDEX = "model_index.json"
# What a diffusers folder consists of. Weights only as safetensors: a pickle could run code in the next job.
_MODEL_FILES = FileRules(suffixes=(".json", ".safetensors", ".txt", ".model"))


class FilesystemModelStore:
    """Raises ValueError when the catalogue is not one: an installation with a broken catalogue does not start."""

    def __init__(self, data_dir: Path, *, catalogue: Path, owner: Owner) -> None:
        self._cache = data_dir / "models"
        self._owner = owner
        self._entries = _parse_catalogue(catalogue)

    def catalogue(self) -> Sequence[CatalogueEntry]:
        return self._entries

    def is_ready(self, entry: CatalogueEntry) -> bool:
        return (self._cache / entry.folder / _INDEX).is_file()

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
                (sealed / _INDEX).stat()
                sealed.rename(target)
        except FileNotFoundError as error:
            message = (
                f"Base model {entry.id} was built without a {_INDEX}: look at the training image's build_model.py."
            )
            raise LaunchRefused(EndReason.BASE_MODEL_UNAVAILABLE, message) from error
        finally:
            delete_tree(sealed)

    def discard(self, staging: str) -> None:
        delete_tree(Path(staging))


def _parse_catalogue(path: Path) -> tuple[CatalogueEntry, ...]:
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return tuple(_parse_entry(entry) for entry in listed["models"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a model catalogue: {error!r}.") from error


def _parse_entry(entry: dict[str, Any]) -> CatalogueEntry:
    """Raises KeyError, TypeError or ValueError."""
    source = ModelSource(entry["source"])
    texts = {name: str(value) for name, value in entry.items() if name != "source"}
    return CatalogueEntry(source=source, **texts)
