"""Base models on disk, and the catalogue that says which may be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from orchestrator.domain.model import CatalogueEntry


class ModelStore(Protocol):
    def catalogue(self) -> Sequence[CatalogueEntry]:
        """What may be asked for, in the catalogue's order."""

    def is_ready(self, entry: CatalogueEntry) -> bool: ...

    def revision(self, entry: CatalogueEntry) -> str:
        """What exactly is in the cache: the commit that was fetched, else what the catalogue says."""

    def cache_path(self) -> str:
        """Absolute path of the folder that is mounted read-only at /workspace/models."""

    def begin(self, entry: CatalogueEntry) -> str:
        """Absolute path of a fresh staging folder inside the cache, writable for the container's user."""

    def publish(self, entry: CatalogueEntry, staging: str) -> None:
        """Put what was staged under `staging`/`entry.folder` into place at once; one that is already there wins.

        Raises LaunchRefused (BASE_MODEL_UNAVAILABLE) when it held no model.
        """

    def discard(self, staging: str) -> None:
        """Remove a staging folder and what is left in it; one that is already gone is fine."""
