"""What came of jobs, and in what they differ. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.job import Job

_CHECKPOINT_PREFIX = "step-"


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
        best = self.best_step
        if best is None or not self.checkpoints:
            return None
        return min(self.checkpoints, key=lambda name: abs(_step_of(name) - best))


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same for all; `values` are by job id."""

    setting: str  # as a submission names it, options of the trainer as `config.NAME`
    values: Mapping[str, Any]


def differences(jobs: Sequence[Job]) -> list[Difference]:
    """In what the jobs differ of all that a user may ask for, in the order in which users read it."""
    settings = {job.id: _settings(job) for job in jobs}
    names = next(iter(settings.values()), {})
    found = [Difference(name, {job_id: each[name] for job_id, each in settings.items()}) for name in names]
    return [each for each in found if any(value != next(iter(each.values.values())) for value in each.values.values())]


def _settings(job: Job) -> dict[str, Any]:
    asked = {
        "dataset_id": job.dataset_id,
        "dataset_sha256": job.dataset_sha256,
        "type": str(job.type),
        "base_model": job.base_model,
        "trigger_words": list(job.trigger_words),
        "preset": job.preset,
        "gpus": job.gpus,
    }
    return asked | {f"config.{name}": value for name, value in job.config.as_params().items()}


def _step_of(checkpoint: str) -> int:
    digits = checkpoint.removeprefix(_CHECKPOINT_PREFIX)
    return int(digits) if digits.isdecimal() else 0
