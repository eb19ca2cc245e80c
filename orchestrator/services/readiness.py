"""Whether this installation can take and run jobs right now, said check by check."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.ports.clock import Clock
from orchestrator.ports.record_store import EngineStatus, RecordStore

# A pass takes well under a second; a minute without one means nobody is reconciling.
STALE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be right, and a sentence about how it is."""

    name: str  # store, orchestrator, engine, image, disk
    is_ok: bool
    message: str


class Readiness:
    def __init__(self, *, records: RecordStore, clock: Clock, data_dir: str, min_free_bytes: int) -> None:
        self._records = records
        self._clock = clock
        self._data_dir = data_dir
        self._min_free_bytes = min_free_bytes

    def checks(self) -> Sequence[Check]:
        try:
            status = self._records.engine_status()
        except StoreUnavailable as error:
            return [Check("store", is_ok=False, message=error.message), self._disk()]
        return [Check("store", is_ok=True, message="The job store answers."), *self._engine(status), self._disk()]

    def _engine(self, status: EngineStatus | None) -> Sequence[Check]:
        if status is None or self._clock.now() - status.last_pass_at > STALE_AFTER:
            message = "No orchestrator is working on this store. Start one with `lorry serve` or `lorry orchestrate`."
            return [Check("orchestrator", is_ok=False, message=message)]
        since = status.unreachable_since
        return [
            Check("orchestrator", is_ok=True, message="The orchestrator is at work."),
            Check(
                "engine",
                is_ok=since is None,
                message="The Docker Engine answers."
                if since is None
                else f"The Docker Engine has not answered since {since.isoformat(timespec='seconds')}.",
            ),
            Check(
                "image",
                is_ok=status.is_image_present,
                message="The training image is present."
                if status.is_image_present
                else "The training image is missing. Build it with `make setup`.",
            ),
        ]

    def _disk(self) -> Check:
        free = shutil.disk_usage(self._data_dir).free
        gib = free / 1024**3
        if free < self._min_free_bytes:
            return Check("disk", is_ok=False, message=f"Only {gib:.1f} GiB are free in the data directory.")
        return Check("disk", is_ok=True, message=f"{gib:.1f} GiB are free in the data directory.")
