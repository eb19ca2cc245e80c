"""How long a job will take and what it will cost, told from the jobs that ran here before. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from orchestrator.domain.training import TrainingConfig

_SECONDS_AN_HOUR = 3_600


class Work(NamedTuple):
    """What decides how long a step takes, and how much memory."""

    base_model: str
    resolution: int
    images: int  # a step, gradient accumulation included
    is_checkpointing: bool
    is_on_gpu: bool
    adapts_text: bool = False  # text encoders stay and are run in every step

    @property
    def pixels(self) -> int:
        """Trained on in one step."""
        return self.images * self.resolution**2


@dataclass(frozen=True, slots=True)
class Run:
    """A completed job's measure of how fast this installation is."""

    work: Work
    steps: int
    seconds: float  # from its start to its end
    samples_a_second: float | None = None  # while it trained, as its trainer last measured
    gpu_memory_bytes: int | None = None  # the peak

    @property
    def step_seconds(self) -> float:
        """Of its training alone, where the trainer measured that."""
        if self.samples_a_second is not None and self.samples_a_second > 0:
            return min(self.work.images / self.samples_a_second, self.seconds / self.steps)
        return self.seconds / self.steps

    @property
    def other_seconds(self) -> float:
        """Loading, preparing pictures, validating, sampling."""
        return max(0.0, self.seconds - self.steps * self.step_seconds)


class Basis(StrEnum):
    """What an estimate rests on, the best first."""

    PROGRESS = "progress"
    SAME_SETTINGS = "same_settings"
    SAME_BASE_MODEL = "same_base_model"
    ANY_BASE_MODEL = "any_base_model"


# What a run must have in common with the work in question to be evidence of that kind.
_IN_COMMON = {
    Basis.SAME_SETTINGS: Work._fields,
    Basis.SAME_BASE_MODEL: ("base_model", "is_on_gpu"),
    Basis.ANY_BASE_MODEL: ("is_on_gpu",),
}
_SENTENCES = {
    Basis.PROGRESS: "Time taken so far and the trainer's own estimate of the rest.",
    Basis.SAME_SETTINGS: "Median of {count} completed with the same base model, resolution and images a step.",
    Basis.SAME_BASE_MODEL: "Median of {count} completed with the same base model, scaled by pixels a step.",
    Basis.ANY_BASE_MODEL: "Median of {count} completed with other base models, scaled by pixels a step.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    duration_seconds: float  # from start to end
    memory_bytes: int | None = None  # of a GPU; None where nothing like it was measured
    cost: float | None = None  # in the tariff's currency; None without a price
    basis: Basis
    run_count: int = 0  # completed jobs that it rests on

    @property
    def sentence(self) -> str:
        """What it rests on, for people."""
        return _SENTENCES[self.basis].format(count=f"{self.run_count} job{'' if self.run_count == 1 else 's'}")


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an hour of one device costs; None: nobody counts."""

    gpu_hour_price: float | None
    currency: str = "USD"

    def cost(self, *, gpus: int, seconds: float) -> float | None:
        if self.gpu_hour_price is None:
            return None
        return round(self.gpu_hour_price * gpus * seconds / _SECONDS_AN_HOUR, 4)


def work_of(base_model: str, config: TrainingConfig, *, is_on_gpu: bool) -> Work:
    return Work(
        base_model=base_model,
        resolution=config.resolution,
        images=config.batch_size * config.gradient_accumulation_steps,
        is_checkpointing=config.gradient_checkpointing,
        is_on_gpu=is_on_gpu,
        adapts_text=config.text_encoder_lora,
    )


def estimate(work: Work, steps: int, runs: Sequence[Run], *, gpus: int, tariff: Tariff) -> Estimate | None:
    """From the runs most like it, by medians; None while there is none on such a device.

    A run's time is its steps, taken to grow with the pixels of a step, and everything else, taken to stay the same.
    """
    for basis, shared in _IN_COMMON.items():
        alike = [run for run in runs if all(getattr(run.work, name) == getattr(work, name) for name in shared)]
        if alike:
            pixel_seconds = statistics.median(run.step_seconds / run.work.pixels for run in alike)
            seconds = statistics.median(run.other_seconds for run in alike) + steps * work.pixels * pixel_seconds
            return Estimate(
                duration_seconds=round(seconds, 1),
                memory_bytes=_peak(alike) if basis is Basis.SAME_SETTINGS else None,
                cost=tariff.cost(gpus=gpus, seconds=seconds),
                basis=basis,
                run_count=len(alike),
            )
    return None


def estimate_by_progress(elapsed: float, remaining: float, *, gpus: int, tariff: Tariff) -> Estimate:
    """Of a job that trains; both in seconds."""
    seconds = elapsed + remaining
    return Estimate(
        duration_seconds=round(seconds, 1), cost=tariff.cost(gpus=gpus, seconds=seconds), basis=Basis.PROGRESS
    )


@dataclass(frozen=True, slots=True)
class Saved:
    """What a job did not take because it ended before its last step; told from the pace of the steps it took."""

    steps: int
    seconds: float
    cost: float | None  # as of an `Estimate`

    @property
    def sentence(self) -> str:
        """What it rests on, for people."""
        return f"The {self.steps:,} steps that it did not take, at the pace of those it took."


def saved_by_ending(run: Run, steps: int, *, gpus: int, tariff: Tariff) -> Saved | None:
    """`run` as far as it came, `steps` that were left; None where nothing was measured, or nothing was left."""
    if run.steps <= 0 or steps <= 0:
        return None
    seconds = round(steps * run.step_seconds, 1)
    return Saved(steps=steps, seconds=seconds, cost=tariff.cost(gpus=gpus, seconds=seconds))


def _peak(runs: Sequence[Run]) -> int | None:
    """The most that any of them took: a job that fits only half the time does not fit."""
    return max((run.gpu_memory_bytes for run in runs if run.gpu_memory_bytes is not None), default=None)
