"""Making an adapter of a checkpoint: what a job had learned by then, registered like what it ended with."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.artifact import (
    AdapterClaim,
    Artifact,
    checkpoint_adapter,
    checkpoint_names,
    checkpoint_of,
    checkpoint_step,
)
from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.domain.errors import Conflict, Rejected, Violation
from orchestrator.domain.events import promotion_event
from orchestrator.domain.identity import Actor, Identity
from orchestrator.domain.job import Job
from orchestrator.domain.registered_model import ModelVersion, require_model_name
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.model_registry import ModelRegistry
from orchestrator.ports.record_store import RecordStore
from orchestrator.services.ownership import actor_on, owned_job

_FORMAT = "kohya"  # of the adapter that a trainer writes beside a checkpoint


@dataclass(frozen=True, slots=True)
class Promoted:
    """A checkpoint's version of a registered model, and whether it has been one only since now."""

    version: ModelVersion
    is_new: bool


class Promotion:
    def __init__(
        self,
        *,
        jobs: JobStore,
        records: RecordStore,
        artifacts: ArtifactStore,
        registry: ModelRegistry,
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._artifacts = artifacts
        self._registry = registry
        self._clock = clock

    def promote(self, identity: Identity, job_id: str, *, checkpoint: str, name: str | None) -> Promoted:
        """Register a checkpoint's adapter as the next version of `name`, else of the name of the job's own version.

        `checkpoint` is its folder's name or the id of one of its files. One that is registered already stays what it
        is. Raises NotFound, Rejected (CHECKPOINT_NOT_FOUND, MODEL_NAME_INVALID), Conflict for a job that has not ended
        (JOB_NOT_ENDED) or trains no adapter (NO_ADAPTER), for a checkpoint without one (CHECKPOINT_WITHOUT_ADAPTER) and
        for one that fails the verification of every adapter (ADAPTER_INVALID).
        """
        job = owned_job(self._jobs, identity, job_id)
        adapts_text = job.training_config.text_encoder_lora
        chosen = require_model_name(name) if name is not None else None
        if not job.status.is_final:
            raise Conflict("Its checkpoints are collected and checked when the job has ended.", code="JOB_NOT_ENDED")
        folder, file = self._find(job, checkpoint)
        self._verify(job, file, adapts_text=adapts_text)
        now, step = self._clock.now(), checkpoint_step(folder) or 0
        return Promoted(
            *self._registry.promote(
                job,
                file,
                name=chosen,
                step=step,
                at=now,
                tell=lambda version: promotion_event(job, version, actor=actor_on(job, identity)),
                audit=self._audit(job, identity, folder) if actor_on(job, identity) is Actor.ADMIN else None,
            )
        )

    def _find(self, job: Job, wanted: str) -> tuple[str, Artifact]:
        """The checkpoint's folder and its adapter file."""
        files = self._records.artifacts(job.id)
        named = ((checkpoint_of(each), each.id) for each in files)
        folder = next((name for name, file_id in named if name is not None and wanted in (name, file_id)), None)
        if folder is None:
            message = (
                f"Job {job.id} has no checkpoint {wanted!r}. It has: {', '.join(checkpoint_names(files)) or 'none'}."
            )
            raise Rejected(message, code="CHECKPOINT_NOT_FOUND", details=[Violation("checkpoint", message, wanted)])
        file = checkpoint_adapter(folder, files)
        if file is None:
            message = f"Checkpoint {folder} has no adapter file: its trainer wrote none beside it."
            raise Conflict(message, code="CHECKPOINT_WITHOUT_ADAPTER")
        return folder, file

    def _verify(self, job: Job, file: Artifact, *, adapts_text: bool) -> None:
        try:
            claim = AdapterClaim(file.path, _FORMAT, file.sha256)
            self._artifacts.verify_adapter(job.id, claim, adapts_text=adapts_text)
        except Rejected as error:
            raise Conflict(error.message, code="ADAPTER_INVALID") from error

    def _audit(self, job: Job, identity: Identity, folder: str) -> AuditEntry:
        return AuditEntry(
            actor=identity.user_id,
            action=AuditAction.CHECKPOINT_PROMOTED,
            subject=job.id,
            message=f"Checkpoint {folder} was registered.",
            data={"owner": job.user_id, "checkpoint": folder},
            at=self._clock.now(),
        )
