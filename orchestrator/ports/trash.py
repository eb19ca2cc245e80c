"""Deleted jobs that are still there, to be brought back or removed for good. Every write is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.job import Job


class Trash(Protocol):
    """Errors of every method: StoreUnavailable."""

    def get(self, job_id: str) -> Job:
        """Raises NotFound for a job that is not deleted, or is removed."""

    def list(self, user_id: str, *, since: datetime, limit: int = 100) -> Sequence[Job]:
        """A user's, deleted then or later, what was deleted last in front."""

    def restore(self, job_id: str, *, since: datetime, at: datetime, audit: AuditEntry | None = None) -> Job:
        """Bring back a job that was deleted then or later, with all that is its own. Raises NotFound."""

    def due(self, *, before: datetime) -> Sequence[str]:
        """Ids of the jobs that were deleted before then, the longest ago in front."""

    def empty(self, *, before: datetime, at: datetime, limit: int | None = None) -> int:
        """Remove at most that many of those that are due, with their records; how many there were.

        Their files are left to retention, which is told of them.
        """
