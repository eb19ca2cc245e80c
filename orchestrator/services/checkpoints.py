"""Giving an attempt the checkpoints of earlier ones, also when retention has taken the outputs away since."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from orchestrator.domain.artifact import ArtifactKind
from orchestrator.domain.errors import NotFound
from orchestrator.domain.job import FROM_SCRATCH, Job
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.workspace import Workspace

log = structlog.get_logger()


class Checkpoints:
    def __init__(self, *, records: RecordStore, artifacts: ArtifactStore, workspace: Workspace) -> None:
        self._records = records
        self._artifacts = artifacts
        self._workspace = workspace

    def restore(self, job: Job) -> None:
        """Put the collected checkpoints back into outputs that have none; the trainer finds out whether they are whole.

        Raises LaunchRefused (LAUNCH_REFUSED) when the disk says no.
        """
        if job.attempt == 1 or job.resume_from == FROM_SCRATCH:
            return
        files = dict(self._collected(job.id))
        if files and self._workspace.restore_checkpoints(job.id, files):
            log.info("checkpoints put back", job_id=job.id, files=len(files))

    def _collected(self, job_id: str) -> Iterator[tuple[str, str]]:
        for artifact in self._records.artifacts(job_id):
            if artifact.kind is ArtifactKind.CHECKPOINT:
                try:
                    yield artifact.path, self._artifacts.locate(job_id, artifact.path)
                except NotFound:
                    continue
