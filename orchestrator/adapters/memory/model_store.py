"""ModelStore in memory."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.model import CatalogueEntry

_CACHE = "/memory/models"


class MemoryModelStore:
    """Containers of the runtime in memory stage nothing, so publishing succeeds unless `is_staging_empty` is set."""

    def __init__(self, entries: Sequence[CatalogueEntry], *, ready: Sequence[CatalogueEntry] = ()) -> None:
        self.is_staging_empty = False
        self._entries = tuple(entries)
        self._ready = {entry.folder for entry in ready}
        self._begun = 0

    def catalogue(self) -> Sequence[CatalogueEntry]:
        return self._entries

    def is_ready(self, entry: CatalogueEntry) -> bool:
        return entry.folder in self._ready

    def revision(self, entry: CatalogueEntry) -> str:
        return entry.revision

    def cache_path(self) -> str:
        return _CACHE

    def begin(self, entry: CatalogueEntry) -> str:
        self._begun += 1
        return f"{_CACHE}/.staging-{entry.folder}-{self._begun}"

    def publish(self, entry: CatalogueEntry, staging: str) -> None:
        if self.is_staging_empty:
            raise LaunchRefused(EndReason.BASE_MODEL_UNAVAILABLE, f"Base model {entry.id}: {staging} holds no model.")
        self.set_ready(entry.folder, is_ready=True)

    def set_ready(self, folder: str, *, is_ready: bool) -> None:
        (self._ready.add if is_ready else self._ready.discard)(folder)

    def discard(self, staging: str) -> None:
        """Nothing was ever staged."""
