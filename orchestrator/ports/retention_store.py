"""Which ended jobs still have what, and removing it. Nothing here touches a job that has not ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.events import JobEvent
from orchestrator.domain.retention import Kind


@dataclass(frozen=True, slots=True)
class Aged:
    """A job that has rows of some kind, how many, and when it ended."""

    job_id: str
    ended_at: datetime
    rows: int


class RetentionStore(Protocol):
    """Rows of metrics, events and checkpoints. Errors of every method: StoreUnavailable."""

    def aged(self, kind: Kind, *, ended_before: datetime, limit: int, after: str = "") -> Sequence[Aged]:
        """Jobs that ended before then and still have rows of that kind (gap events aside), in order of their ids."""

    def remove_rows(self, kind: Kind, job_id: str, gap: JobEvent | None) -> int:
        """Delete a job's rows of that kind and leave `gap` in its history, at once; how many rows there were.

        0, with nothing changed, when the job is at work again.
        """

    def ended(self, job_ids: Collection[str], *, before: datetime) -> Mapping[str, datetime]:
        """Which of these jobs ended before then, and when."""

    def unknown(self, job_ids: Collection[str]) -> frozenset[str]:
        """Which of these are not the ids of any job."""

    def deleted(self) -> Sequence[str]:
        """Ids of deleted jobs whose rows are removed and whose files are not yet, in order."""

    def forget_deleted(self, job_id: str) -> None:
        """Its files are removed. Safe to repeat."""

    def while_ended(self, job_id: str, gap: JobEvent | None) -> AbstractContextManager[bool]:
        """Keeps the job from being tried again until the context is left, and then stores `gap`.

        Yields False, and stores nothing, when the job is at work again.
        """
