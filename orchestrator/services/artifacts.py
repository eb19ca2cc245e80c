"""What a user does with collected files: see samples, learn how an adapter is used, list what training made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.domain.artifact import (
    MAX_PICTURE_PIXELS,
    Artifact,
    ArtifactKind,
    Sample,
    adapter_claims,
    sample_of,
    weights_of,
)
from orchestrator.domain.errors import NotFound, Rejected
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.model import ModelSource
from orchestrator.domain.usage import Usage, usage_of
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.model_store import ModelStore
from orchestrator.ports.record_store import ArtifactPage, RecordStore
from orchestrator.ports.thumbnail_store import ThumbnailStore
from orchestrator.services.ownership import owned_artifact, owned_job

_IMAGE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """A sample's file, or its small copy, for a browser to show."""

    artifact: Artifact
    path: str  # absolute
    media_type: str
    is_small: bool = False


class Artifacts:
    """Methods that take an id raise NotFound for an unknown one, and for another user's."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        records: RecordStore,
        artifacts: ArtifactStore,
        thumbnails: ThumbnailStore,
        models: ModelStore,
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._artifacts = artifacts
        self._thumbnails = thumbnails
        self._models = models

    def samples(self, identity: Identity, job_id: str) -> Sequence[Sample]:
        """Pictures that a job drew so far, by step and prompt.

        One of a running job is there once the history tells of it, and with it of its step and prompt.
        """
        job = owned_job(self._jobs, identity, job_id)
        files = self._records.artifacts(job.id)
        main, last_step = self._result(job, files)
        told = {
            (event.attempt, event.data.get("path")): event.data
            for event in self._records.events_of_type(job.id, "sample")
        }
        samples = [
            sample_of(file, told.get((file.attempt, file.path), {}))
            for file in files
            if file.kind is ArtifactKind.SAMPLE
            if job.status.is_final or (file.attempt, file.path) in told
        ]
        samples = [
            replace(sample, weights=weights_of(sample, files, main=main, last_step=last_step)) for sample in samples
        ]
        return sorted(samples, key=lambda sample: (sample.artifact.attempt, sample.step or 0, sample.artifact.path))

    def picture(self, identity: Identity, artifact_id: str, *, is_small: bool = False) -> SamplePicture:
        """Of a small copy that is not made yet the picture itself.

        Raises NotFound (PICTURE_NOT_FOUND) for a file that is no sample picture, or none that can be shown.
        """
        artifact = self._owned(identity, artifact_id)
        media_type = _IMAGE_TYPES.get("." + artifact.name.rpartition(".")[2])
        if artifact.kind is not ArtifactKind.SAMPLE or media_type is None:
            raise NotFound(f"Artifact {artifact_id} is no sample picture.", code="PICTURE_NOT_FOUND")
        if artifact.is_showable is False:
            message = f"Sample {artifact.name} cannot be decoded, or has more than {MAX_PICTURE_PIXELS} pixels."
            raise NotFound(f"{message} It is there to be downloaded.", code="PICTURE_NOT_FOUND")
        small = self._thumbnails.locate(artifact) if is_small and artifact.is_showable else None
        if small is not None:
            return SamplePicture(artifact, small, "image/jpeg", is_small=True)
        return SamplePicture(artifact, self._artifacts.locate(artifact.job_id, artifact.path), media_type)

    def usage(self, identity: Identity, artifact_id: str) -> Usage:
        """Raises Rejected (NOT_AN_ADAPTER) for any other file."""
        artifact = self._owned(identity, artifact_id)
        if artifact.kind is not ArtifactKind.ADAPTER:
            raise Rejected(f"{artifact.name} is no adapter file.", code="NOT_AN_ADAPTER")
        job = self._jobs.get(artifact.job_id)
        return usage_of(
            artifact.name,
            base_model=job.base_model,
            trigger_words=job.trigger_words,
            is_local_model=self._is_local(job.base_model),
        )

    def assets(self, identity: Identity, *, page: int, page_size: int) -> ArtifactPage:
        """The caller's adapters and checkpoints, newest first."""
        return self._records.trained_files(identity.user_id, page=page, page_size=page_size)

    def _result(self, job: Job, files: Sequence[Artifact]) -> tuple[Artifact | None, Any]:
        """A completed job's adapter file, and the step at which it ended as its trainer said it."""
        result = self._records.latest_event(job.id, attempt=job.attempt, type="result")
        if job.status is not JobStatus.COMPLETED or result is None:
            return None, None
        paths = [claim.path for claim in adapter_claims(result.data)[:1]]
        main = next((file for file in files if file.attempt == job.attempt and file.path in paths), None)
        return main, result.data.get("steps")

    def _owned(self, identity: Identity, artifact_id: str) -> Artifact:
        return owned_artifact(self._jobs, self._records, identity, artifact_id)

    def _is_local(self, base_model: str) -> bool:
        sources = {entry.id: entry.source for entry in self._models.catalogue()}
        return sources.get(base_model) in (ModelSource.LOCAL, ModelSource.BUILTIN)
