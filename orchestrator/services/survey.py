"""How the installation is doing, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.ports.clock import Clock
from orchestrator.ports.disk import Disk
from orchestrator.ports.figure_store import Figures, FigureStore
from orchestrator.ports.record_store import EngineStatus, RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look shows; ages in seconds. `figures` None: the store did not answer, so nothing else is known."""

    free_bytes: int
    figures: Figures | None = None
    queue_age_seconds: float = 0.0
    engine_status: EngineStatus | None = None  # None: no orchestrator has made a pass yet
    pass_age_seconds: float | None = None


class Survey:
    def __init__(self, *, store: FigureStore, records: RecordStore, disk: Disk, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._disk = disk
        self._clock = clock

    def look(self) -> Sight:
        """Never raises for a store that is away: that is a finding too."""
        free_bytes = self._disk.free_bytes()
        try:
            figures, status = self._store.figures(), self._records.engine_status()
        except StoreUnavailable:
            return Sight(free_bytes=free_bytes)
        now = self._clock.now()
        return Sight(
            free_bytes=free_bytes,
            figures=figures,
            queue_age_seconds=(now - figures.waiting_since).total_seconds() if figures.waiting_since else 0.0,
            engine_status=status,
            pass_age_seconds=(now - status.last_pass_at).total_seconds() if status is not None else None,
        )
