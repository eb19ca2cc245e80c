"""The one rule of who sees a job or an experiment: its owner and admins. For everybody else it does not exist."""

from __future__ import annotations

from typing import Protocol

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.experiment import Experiment
from orchestrator.domain.identity import Actor, Identity
from orchestrator.domain.job import Job
from orchestrator.ports.experiment_store import ExperimentStore
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore


class JobSource(Protocol):
    def get(self, job_id: str) -> Job:
        """Raises NotFound."""


def owned_job(jobs: JobSource, identity: Identity, job_id: str) -> Job:
    """The job, if `identity` may see it. Raises NotFound (JOB_NOT_FOUND) either way it is not theirs."""
    job = jobs.get(job_id)
    if job.user_id != identity.user_id and not identity.is_admin:
        raise job_not_found(job_id)
    return job


def owned_artifact(jobs: JobStore, records: RecordStore, identity: Identity, artifact_id: str) -> Artifact:
    """The artifact, by the rule of its job. Raises NotFound (ARTIFACT_NOT_FOUND), in the same words either way."""
    artifact = records.artifact(artifact_id)
    try:
        owned_job(jobs, identity, artifact.job_id)
    except NotFound as error:
        raise _artifact_not_found(artifact_id) from error
    return artifact


def owned_experiment(experiments: ExperimentStore, identity: Identity, experiment_id: str) -> Experiment:
    """The experiment, by the same rule. Raises NotFound (EXPERIMENT_NOT_FOUND)."""
    experiment = experiments.get(experiment_id)
    if experiment.user_id != identity.user_id and not identity.is_admin:
        raise NotFound(f"There is no experiment {experiment_id}.", code="EXPERIMENT_NOT_FOUND")
    return experiment


def actor_on(job: Job, identity: Identity) -> Actor:
    """In which role somebody who may see the job acts on it."""
    return Actor.USER if job.user_id == identity.user_id else Actor.ADMIN


def require_admin(identity: Identity) -> None:
    """Raises Refused (ADMIN_ONLY)."""
    if not identity.is_admin:
        raise Refused("Only administrators may do this.", code="ADMIN_ONLY")


def job_not_found(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id}.", code="JOB_NOT_FOUND")


def _artifact_not_found(artifact_id: str) -> NotFound:
    return NotFound(f"There is no artifact {artifact_id}.", code="ARTIFACT_NOT_FOUND")
