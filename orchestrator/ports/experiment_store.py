"""Experiments, and the figures that their owners measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.experiment import Experiment, ExperimentChanges


@dataclass(frozen=True, slots=True)
class ExperimentPage:
    experiments: tuple[Experiment, ...]
    total: int
    job_counts: Mapping[str, int]  # by experiment id, of those on the page


class ExperimentStore(Protocol):
    """Errors of every method: StoreUnavailable when the database does not answer."""

    def add(self, experiment: Experiment) -> None: ...

    def get(self, experiment_id: str) -> Experiment:
        """Raises NotFound (EXPERIMENT_NOT_FOUND)."""

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> ExperimentPage:
        """Newest first. `page` counts from 1."""

    def change(self, experiment_id: str, changes: ExperimentChanges, *, at: datetime) -> Experiment:
        """Raises NotFound (EXPERIMENT_NOT_FOUND)."""

    def remove(self, experiment_id: str) -> None:
        """Its params and metrics go with it; its jobs stay and belong to no experiment. One that is gone is fine."""

    def measure(self, experiment_id: str, job_id: str, values: Mapping[str, float | None]) -> None:
        """Note figures of a job by their names; an earlier figure of a name gives way, None takes it away."""

    def metrics(self, experiment_id: str) -> Mapping[str, Mapping[str, float]]:
        """What was measured: by job id, by name."""
