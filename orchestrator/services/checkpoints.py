"""Which checkpoint is meant, and giving it to an attempt: its job's own, or that of the job it continues."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from orchestrator.domain.artifact import ArtifactKind, checkpoint_named, checkpoint_names
from orchestrator.domain.errors import LaunchRefused, NotFound, Rejected, Violation
from orchestrator.domain.job import FROM_SCRATCH, Job
from orchestrator.domain.lifecycle import ENDINGS, EndReason
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.workspace import Workspace

log = structlog.get_logger()


def named_checkpoint(records: RecordStore, job_id: str, wanted: str | None) -> str:
    """The folder name of the checkpoint that is meant by its name or by the id of one of its files; None: the newest.

    Raises Rejected (CHECKPOINT_NOT_FOUND).
    """
    files = records.artifacts(job_id)
    names = checkpoint_names(files)
    name = (names[-1] if names else None) if wanted is None else checkpoint_named(wanted, files)
    if name is None:
        which = "no checkpoint" if wanted is None else f"no checkpoint {wanted!r}"
        message = f"Job {job_id} has {which}. It has: {', '.join(names) or 'none'}."
        raise Rejected(message, code="CHECKPOINT_NOT_FOUND", details=[Violation("from_checkpoint", message, wanted)])
    return name


class Checkpoints:
    def __init__(self, *, records: RecordStore, artifacts: ArtifactStore, workspace: Workspace) -> None:
        self._records = records
        self._artifacts = artifacts
        self._workspace = workspace

    def restore(self, job: Job) -> None:
        """Put collected checkpoints into outputs that have none; the trainer finds out whether they are whole.

        Raises LaunchRefused: CHECKPOINT_MISSING when the one to continue from is gone, LAUNCH_REFUSED when the disk
        says no.
        """
        if job.resume_from == FROM_SCRATCH:
            return
        files = dict(self._collected(job.id)) if job.attempt > 1 else {}
        if not files and job.continues is not None:
            files = self._continued(job)
        if files and self._workspace.restore_checkpoints(job.id, files):
            log.info("checkpoints put back", job_id=job.id, files=len(files))

    def _continued(self, job: Job) -> dict[str, str]:
        assert job.continues is not None  # noqa: S101 - whoever calls has looked
        below = f"/{job.continues_from}/"
        files = {path: source for path, source in self._collected(job.continues) if below in path}
        if not files:
            message = (
                f"{ENDINGS[EndReason.CHECKPOINT_MISSING].sentence} It was {job.continues_from} of {job.continues}."
            )
            raise LaunchRefused(EndReason.CHECKPOINT_MISSING, message)
        return files

    def _collected(self, job_id: str) -> Iterator[tuple[str, str]]:
        for artifact in self._records.artifacts(job_id):
            if artifact.kind is ArtifactKind.CHECKPOINT:
                try:
                    yield artifact.path, self._artifacts.locate(job_id, artifact.path)
                except NotFound:
                    continue
