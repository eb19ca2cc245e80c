"""What a user may read about a job: history, metrics, log, artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.errors import NotFound
from orchestrator.domain.events import JobEvent, Metric
from orchestrator.domain.identity import Identity
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.workspace import Workspace
from orchestrator.services.ownership import artifact_not_found, owned_job


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """An artifact and the absolute path of its bytes."""

    artifact: Artifact
    path: str


class Records:
    """Every method raises NotFound for an unknown job, and for another user's."""

    def __init__(self, *, jobs: JobStore, records: RecordStore, artifacts: ArtifactStore, workspace: Workspace) -> None:
        self._jobs = jobs
        self._records = records
        self._artifacts = artifacts
        self._workspace = workspace

    def events(self, identity: Identity, job_id: str, *, after_id: int, limit: int) -> Sequence[JobEvent]:
        return self._records.events(owned_job(self._jobs, identity, job_id).id, after_id=after_id, limit=limit)

    def metrics(self, identity: Identity, job_id: str, *, points: int) -> Sequence[Metric]:
        """A series longer than `points` is thinned; its extremes and validations stay."""
        return self._records.metrics(owned_job(self._jobs, identity, job_id).id, points=points)

    def log(self, identity: Identity, job_id: str, *, tail: int) -> Sequence[str]:
        return self._workspace.read_log(owned_job(self._jobs, identity, job_id).id, tail=tail)

    def artifacts(self, identity: Identity, job_id: str) -> Sequence[Artifact]:
        return self._records.artifacts(owned_job(self._jobs, identity, job_id).id)

    def artifact_file(self, identity: Identity, artifact_id: str) -> ArtifactFile:
        """Raises NotFound (ARTIFACT_NOT_FOUND), in the same words for one that is not there and one of another user."""
        artifact = self._records.artifact(artifact_id)
        try:
            owned_job(self._jobs, identity, artifact.job_id)
        except NotFound as error:
            raise artifact_not_found(artifact_id) from error
        return ArtifactFile(artifact, self._artifacts.locate(artifact.job_id, artifact.path))
