"""What a user does with experiments: begin one, look at its jobs side by side, note what was found out, delete it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.analysis import Contrast, contrasts
from orchestrator.domain.errors import NotFound
from orchestrator.domain.experiment import Experiment, ExperimentChanges, ParamValue
from orchestrator.domain.identity import Identity
from orchestrator.ports.clock import Clock
from orchestrator.ports.experiment_store import ExperimentPage, ExperimentStore
from orchestrator.ports.job_store import JobFilter, JobOrder, JobStore
from orchestrator.services.analysis import Analysis, Outcome
from orchestrator.services.ownership import owned_experiment, owned_job

# More cannot be looked at side by side; the list of jobs has them all.
MOST_JOBS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentView:
    """An experiment with its jobs, oldest first."""

    experiment: Experiment
    outcomes: Sequence[Outcome]
    job_count: int  # which may be more than are shown
    contrasts: Sequence[Contrast]
    measured: Mapping[str, Mapping[str, float]]  # by job id, by name


class Experiments:
    """Every method raises NotFound (EXPERIMENT_NOT_FOUND) for an unknown experiment, and for another user's."""

    def __init__(self, *, store: ExperimentStore, jobs: JobStore, analysis: Analysis, clock: Clock) -> None:
        self._store = store
        self._jobs = jobs
        self._analysis = analysis
        self._clock = clock

    def begin(
        self, identity: Identity, *, name: str, description: str | None, params: Mapping[str, ParamValue]
    ) -> Experiment:
        now = self._clock.now()
        experiment = Experiment(
            id=str(uuid.uuid4()),
            user_id=identity.user_id,
            name=name,
            description=description,
            params=params,
            created_at=now,
            updated_at=now,
        )
        self._store.add(experiment)
        return experiment

    def list(self, identity: Identity, *, page: int, page_size: int) -> ExperimentPage:
        return self._store.list(identity.user_id, page=page, page_size=page_size)

    def get(self, identity: Identity, experiment_id: str) -> ExperimentView:
        experiment = owned_experiment(self._store, identity, experiment_id)
        wanted = JobFilter(experiment_id=experiment.id, user_id=experiment.user_id, order=JobOrder.OLDEST)
        found = self._jobs.list(wanted, page_size=MOST_JOBS)
        return ExperimentView(
            experiment=experiment,
            outcomes=self._analysis.outcomes(found.jobs),
            job_count=found.total,
            contrasts=contrasts(found.jobs),
            measured=self._store.metrics(experiment.id),
        )

    def change(self, identity: Identity, experiment_id: str, changes: ExperimentChanges) -> Experiment:
        experiment = owned_experiment(self._store, identity, experiment_id)
        return self._store.change(experiment.id, changes, at=self._clock.now())

    def measure(
        self, identity: Identity, experiment_id: str, job_id: str, values: Mapping[str, float | None]
    ) -> ExperimentView:
        """Note figures of one of its jobs. Raises NotFound (JOB_NOT_FOUND) for a job that is not part of it."""
        experiment = owned_experiment(self._store, identity, experiment_id)
        job = owned_job(self._jobs, identity, job_id)
        if job.experiment_id != experiment.id:
            raise NotFound(f"Job {job_id} is not part of experiment {experiment_id}.", code="JOB_NOT_FOUND")
        self._store.measure(experiment.id, job.id, values)
        return self.get(identity, experiment_id)

    def delete(self, identity: Identity, experiment_id: str) -> Experiment:
        """Its jobs stay and belong to none."""
        experiment = owned_experiment(self._store, identity, experiment_id)
        self._store.remove(experiment.id)
        return experiment
