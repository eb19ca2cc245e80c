"""What came of jobs, and in what they differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.bests import nearest_checkpoint
from orchestrator.domain.config_diff import facts_of
from orchestrator.domain.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the records say of a job's outcome so far."""

    best_val_loss: float | None = None
    best_step: int | None = None  # at which it was measured
    checkpoints: tuple[str, ...] = ()  # folder names of those that are kept, oldest step first
    run_seconds: float = 0.0  # of all its attempts together

    @property
    def last_checkpoint(self) -> str | None:
        return self.checkpoints[-1] if self.checkpoints else None

    @property
    def best_checkpoint(self) -> str | None:
        """The one saved nearest to the best validation; None without either."""
        return nearest_checkpoint(self.checkpoints, self.best_step)


@dataclass(frozen=True, slots=True)
class Contrast:
    """A setting that is not the same for all of several jobs; `values` are by job id."""

    field: str  # as a submission names it, options of the trainer as `config.NAME`
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Margin:
    """By how much a job's losses are above its baseline's: below zero is better. None where either has none."""

    loss: float | None
    best_val_loss: float | None


def margin(job: Job, result: Result, *, over: Job, over_result: Result) -> Margin:
    """What sets a job apart from the baseline `over`."""
    return Margin(
        loss=_above(job.progress.metrics.get("loss"), over.progress.metrics.get("loss")),
        best_val_loss=_above(result.best_val_loss, over_result.best_val_loss),
    )


def _above(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def contrasts(jobs: Sequence[Job]) -> list[Contrast]:
    """In what the jobs differ of all that a user may ask for, in the order in which users read it."""
    facts = {job.id: facts_of(job, lineage=None) for job in jobs}
    fields = next(iter(facts.values()), {})
    found = [Contrast(field, {job_id: each[field] for job_id, each in facts.items()}) for field in fields]
    return [each for each in found if any(value != next(iter(each.values.values())) for value in each.values.values())]
