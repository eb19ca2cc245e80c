"""How long a deleted job can be brought back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain.job import Job


@dataclass(frozen=True, slots=True)
class UndoPolicy:
    """For everybody it is gone at once; its rows and files are removed `window` later, a window of zero being none."""

    window: timedelta

    @property
    def is_possible(self) -> bool:
        return self.window > timedelta(0)

    def since(self, now: datetime) -> datetime:
        """What was deleted then or later can still be brought back; what was deleted before is to be removed."""
        return now - self.window

    def restorable_until(self, job: Job) -> datetime | None:
        """None for a job that is not deleted."""
        return None if job.deleted_at is None else job.deleted_at + self.window
