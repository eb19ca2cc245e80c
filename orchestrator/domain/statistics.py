"""Counts and times of many jobs together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.lifecycle import JobStatus


class Grouping(StrEnum):
    """What jobs are counted by."""

    DAY = "day"  # on which they were submitted, in UTC
    BASE_MODEL = "base_model"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Some jobs, counted."""

    jobs: Mapping[JobStatus, int]  # every state, also those that no job is in
    started: int = 0  # jobs whose first container has started
    queue_seconds: float = 0.0  # from submission to that start, of all of them together
    run_seconds: float = 0.0  # of all attempts together, up to now for those at work
    gpu_seconds: float = 0.0  # the same times the GPUs that each held

    @property
    def total(self) -> int:
        return sum(self.jobs.values())

    @property
    def success_rate(self) -> float | None:
        """Completed of those that completed or failed, 0 to 1; whoever cancels says nothing about success."""
        completed, failed = self.jobs[JobStatus.COMPLETED], self.jobs[JobStatus.FAILED]
        return completed / (completed + failed) if completed + failed else None

    @property
    def mean_queue_seconds(self) -> float | None:
        return self.queue_seconds / self.started if self.started else None

    @property
    def mean_run_seconds(self) -> float | None:
        return self.run_seconds / self.started if self.started else None
