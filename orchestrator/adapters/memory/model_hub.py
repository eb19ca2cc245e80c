"""ModelHub in memory."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.errors import HubRefused
from orchestrator.domain.model import CatalogueEntry, ModelFile, ModelSnapshot


class MemoryModelHub:
    """Hands out `snapshots`, by the model's id. While `trouble` is set, the next file is fetched by half and it is
    raised; `asked` counts the files that were asked for. `branch` is the commit that `main` has moved on to."""

    def __init__(self) -> None:
        self.snapshots: dict[str, ModelSnapshot] = {}
        self.trouble: Exception | None = None
        self.asked = 0
        self.branch: str | None = None

    def look_up(self, entry: CatalogueEntry, *, revision: str) -> ModelSnapshot:
        found = self.snapshots.get(entry.id)
        if found is None or revision not in (found.revision, "main"):
            raise HubRefused(f"The hub has no model {entry.id} at {revision}.")
        return ModelSnapshot(self.branch, found.files) if self.branch and revision == "main" else found

    def fetch(
        self,
        entry: CatalogueEntry,  # noqa: ARG002 - the port's signature
        file: ModelFile,
        *,
        revision: str,  # noqa: ARG002 - the port's signature
        folder: str,  # noqa: ARG002 - the port's signature
        note: Callable[[int], None],
    ) -> None:
        self.asked += 1
        note(file.size_bytes // 2)
        if self.trouble is not None:
            raise self.trouble
        note(file.size_bytes)
