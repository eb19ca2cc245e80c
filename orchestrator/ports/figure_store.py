"""What people who watch an installation ask of its store: how much is in it, and whether it takes more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.lifecycle import EndReason, JobStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A handful of numbers, however many jobs and users there are."""

    jobs: Mapping[JobStatus, int]  # every state, also those that no job is in
    ended_attempts: Mapping[EndReason, int]  # every reason
    retries: int  # attempts that made up for ones which infrastructure broke
    waiting_since: datetime | None  # of the job that has been queued for longest
    suspect_devices: int


class FigureStore(Protocol):
    def figures(self) -> Figures:
        """A few aggregate queries, none for each job. Raises StoreUnavailable."""

    def check_writes(self) -> None:
        """Raises StoreUnavailable unless a write would get through within two seconds."""
