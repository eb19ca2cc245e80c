"""ModelFiles in memory, beside a MemoryModelStore: what is installed there is ready."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from orchestrator.adapters.memory.model_store import MemoryModelStore
from orchestrator.domain.model import CatalogueEntry, ModelSnapshot
from orchestrator.ports.model_files import FetchedModel, SpareFolder


class MemoryModelFiles:
    """`damaged` holds the paths of files that `verify` finds changed."""

    def __init__(self, store: MemoryModelStore) -> None:
        self.damaged: set[str] = set()
        self._store = store
        self._staged: set[str] = set()
        self._fetched: dict[str, tuple[FetchedModel, ModelSnapshot]] = {}

    def fetched(self, entry: CatalogueEntry) -> FetchedModel | None:
        found = self._fetched.get(entry.folder)
        return found[0] if found else None

    def staging(self, entry: CatalogueEntry, *, revision: str) -> str:
        name = f".download-{entry.folder}@{revision}"
        self._staged.add(name)
        return f"{self._store.cache_path()}/{name}"

    def staged_bytes(self, entry: CatalogueEntry, *, revision: str) -> int:  # noqa: ARG002 - nothing takes room here
        return 0

    def install(self, entry: CatalogueEntry, snapshot: ModelSnapshot, *, at: datetime) -> None:
        self._staged.discard(f".download-{entry.folder}@{snapshot.revision}")
        facts = FetchedModel(revision=snapshot.revision, size_bytes=snapshot.size_bytes, fetched_at=at)
        self._fetched[entry.folder] = facts, snapshot
        self._store.set_ready(entry.folder, is_ready=True)

    def verify(self, entry: CatalogueEntry) -> Sequence[str]:
        if entry.folder not in self._fetched:
            return [f"{entry.folder} has no record of what its files have to be: it was put there by hand."]
        _, snapshot = self._fetched[entry.folder]
        return [f"{file.path} was changed." for file in snapshot.files if file.path in self.damaged]

    def spare(self, catalogue: Sequence[CatalogueEntry], *, under_way: Collection[str]) -> Sequence[SpareFolder]:
        offered = {entry.folder for entry in catalogue}
        gathering = tuple(f".download-{entry.folder}@" for entry in catalogue if entry.id in under_way)
        staged = [name for name in self._staged if not name.startswith(gathering)]
        spare = [*staged, *(name for name in self._fetched if name not in offered)]
        return [SpareFolder(name, 0) for name in sorted(spare)]

    def remove(self, name: str) -> None:
        self._staged.discard(name)
        if self._fetched.pop(name, None) is not None:
            self._store.set_ready(name, is_ready=False)
