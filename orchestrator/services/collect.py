"""Copying files out of a container's reach: its pictures and checkpoints while it runs, everything once it has ended.

And looking for evidence before that end is called a success.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.artifact import (
    COLLECTED_SUFFIXES,
    DIAGNOSTIC_SUFFIXES,
    FOUND_AGAIN,
    MAX_LIVE_CHECKPOINT_BYTES,
    MAX_LIVE_PICTURE_BYTES,
    Artifact,
    ArtifactKind,
    adapter_claims,
    checkpoint_name,
    has_room_for_pictures,
    is_promoted,
    listed_once,
    model_claim,
    stale_checkpoints,
    told_picture,
)
from orchestrator.domain.errors import Rejected
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.lifecycle import ENDINGS, EndReason, exit_sentence
from orchestrator.domain.training import TrainingType
from orchestrator.ports.artifact_store import ArtifactStore, CollectedFile
from orchestrator.ports.clock import Clock
from orchestrator.ports.record_store import RecordStore

_NAMESPACE = uuid.UUID("6a0f5a5e-58a4-4a3e-9d0a-0f1d4f0b7c11")
CHECKPOINTS = "checkpoints"
_KIND_BY_PLACE = {
    "samples": ArtifactKind.SAMPLE,
    CHECKPOINTS: ArtifactKind.CHECKPOINT,
    "README.md": ArtifactKind.MODEL_CARD,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a job ends, and the sentence that says more than the reason alone."""

    reason: EndReason
    message: str | None = None
    adapter: Artifact | None = None  # the main file of a completed job


class Collect:
    def __init__(self, *, records: RecordStore, artifacts: ArtifactStore, clock: Clock) -> None:
        self._records = records
        self._artifacts = artifacts
        self._clock = clock

    def take_samples(self, job: Job, attempt: Attempt, history: Sequence[JobEvent]) -> list[JobEvent]:
        """Collect the pictures that new rows of the history tell of, before those are stored: whoever reads of one
        finds it. Returns the rows, with the `artifact_id` of each picture that was taken.
        """
        told = [told_picture(row.type, row.data) for row in history]
        taken = self._take(job, attempt, {path for path in told if path is not None})
        return [_with_artifact(row, taken.get(path or "")) for row, path in zip(history, told, strict=True)]

    def take_checkpoint(self, job: Job, attempt: Attempt, step: int) -> Sequence[Artifact]:
        """Collect the checkpoint of this step of a job that still runs; () where it is not to be had now."""
        folder = f"{CHECKPOINTS}/{checkpoint_name(step)}"
        if any(is_promoted(file) and file.path.startswith(f"{folder}/") for file in self._records.artifacts(job.id)):
            return ()  # collected at the end, but for what was registered
        files = self._artifacts.take_folder(job.id, folder, limit_bytes=MAX_LIVE_CHECKPOINT_BYTES)
        taken = self._record(job, attempt, files, claimed={})
        self._prune(job)
        return taken

    def conclude(self, job: Job, attempt: Attempt) -> Verdict:
        """The verdict on a container that exited with 0: completed only if the files it reports pass verification."""
        result = self._result(job, attempt)
        if job.type is TrainingType.DIAGNOSTIC:
            return self._conclude_diagnostic(job, attempt, result)
        claims = adapter_claims(result)
        files = self._collect(job, attempt, {claim.path: ArtifactKind.ADAPTER for claim in claims}, COLLECTED_SUFFIXES)
        if not claims:
            return _invalid(EndReason.ADAPTER_INVALID, "its result names no adapter file")
        for claim in claims:
            try:
                self._artifacts.verify_adapter(job.id, claim, adapts_text=job.training_config.text_encoder_lora)
            except Rejected as error:
                return _invalid(EndReason.ADAPTER_INVALID, error.message)
        return Verdict(EndReason.ADAPTER_VERIFIED, adapter=next(file for file in files if file.path == claims[0].path))

    def _conclude_diagnostic(self, job: Job, attempt: Attempt, result: dict[str, Any]) -> Verdict:
        claim = model_claim(result)
        if claim is None:
            return _invalid(EndReason.DIAGNOSTIC_INVALID, "its result names no model file")
        self._collect(job, attempt, {claim.path: ArtifactKind.MODEL}, DIAGNOSTIC_SUFFIXES)
        try:
            self._artifacts.verify_model(job.id, claim)
        except Rejected as error:
            return _invalid(EndReason.DIAGNOSTIC_INVALID, error.message)
        return Verdict(EndReason.DIAGNOSTIC_PASSED)

    def explain(self, job: Job, attempt: Attempt, reason: EndReason) -> Verdict:
        """The verdict on a container that ended otherwise, with the trainer's own sentence where it left one.

        What the container left (samples, checkpoints) is collected all the same.
        """
        claims = adapter_claims(self._result(job, attempt))
        self._collect(job, attempt, {claim.path: ArtifactKind.ADAPTER for claim in claims}, COLLECTED_SUFFIXES)
        error = self._records.latest_event(job.id, attempt=attempt.number, type="error")
        if reason is EndReason.CANCEL_REQUESTED:
            return Verdict(reason)
        if error is not None:
            return Verdict(reason, f"{ENDINGS[reason].sentence} {error.message}")
        if reason is EndReason.TRAINER_FAILED and attempt.exit_code is not None:
            return Verdict(reason, f"{ENDINGS[reason].sentence} {exit_sentence(attempt.exit_code)}")
        return Verdict(reason)

    def _result(self, job: Job, attempt: Attempt) -> dict[str, Any]:
        """Fields of the attempt's `result` event; {} without one."""
        event = self._records.latest_event(job.id, attempt=attempt.number, type="result")
        return event.data if event is not None else {}

    def _collect(
        self, job: Job, attempt: Attempt, claimed: Mapping[str, ArtifactKind], suffixes: tuple[str, ...]
    ) -> Sequence[Artifact]:
        promoted = {file.path for file in self._records.artifacts(job.id) if is_promoted(file)}
        files = self._artifacts.collect(job.id, suffixes, spared=promoted - claimed.keys())
        collected = self._record(job, attempt, files, claimed)
        self._prune(job)
        return collected

    def _take(self, job: Job, attempt: Attempt, paths: Collection[str]) -> Mapping[str, Artifact]:
        """By path; what cannot be had now is left for the container's end."""
        if not paths or not has_room_for_pictures(self._samples(job)):
            return {}
        found = [self._artifacts.take(job.id, path, limit_bytes=MAX_LIVE_PICTURE_BYTES) for path in sorted(paths)]
        taken = self._record(job, attempt, [file for file in found if file is not None], claimed={})
        return {artifact.path: artifact for artifact in taken}

    def _record(
        self, job: Job, attempt: Attempt, files: Sequence[CollectedFile], claimed: Mapping[str, ArtifactKind]
    ) -> Sequence[Artifact]:
        found = [self._artifact(job, attempt, file, claimed) for file in files]
        rows, replaced = listed_once(found, self._records.artifacts(job.id))
        self._records.remove_artifacts(replaced)
        self._records.add_artifacts(rows)
        return rows

    def _samples(self, job: Job) -> list[Artifact]:
        return [artifact for artifact in self._records.artifacts(job.id) if artifact.kind is ArtifactKind.SAMPLE]

    def _prune(self, job: Job) -> None:
        """Attempts leave checkpoints beside those of earlier ones: of all, as many stay as the job asked for."""
        if job.type is TrainingType.DIAGNOSTIC:
            return  # its trainer replaces its one checkpoint
        stale = stale_checkpoints(self._records.artifacts(job.id), keep=job.training_config.keep_checkpoints)
        for file in stale:
            self._artifacts.discard(job.id, file.path)
        self._records.remove_artifacts([file.id for file in stale])

    def _artifact(
        self, job: Job, attempt: Attempt, file: CollectedFile, claimed: Mapping[str, ArtifactKind]
    ) -> Artifact:
        path = PurePosixPath(file.path)
        kind = claimed.get(file.path) or _KIND_BY_PLACE.get(path.parts[0], ArtifactKind.OTHER)
        # The same file of the same attempt has the same id, so that a repeated collection adds nothing. A sample may be
        # drawn over, while the bytes behind an id never change: that is another one.
        identity = f"{job.id}/{attempt.number}/{file.path}" + (f"/{file.sha256}" if kind in FOUND_AGAIN else "")
        return Artifact(
            id=str(uuid.uuid5(_NAMESPACE, identity)),
            job_id=job.id,
            attempt=attempt.number,
            kind=kind,
            name=path.name,
            path=file.path,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            created_at=self._clock.now(),
        )


def _with_artifact(row: JobEvent, artifact: Artifact | None) -> JobEvent:
    """A trainer may have written an id too: only ours counts."""
    if row.type != "sample":
        return row
    data = {key: value for key, value in row.data.items() if key != "artifact_id"}
    return replace(row, data=data | ({"artifact_id": artifact.id} if artifact else {}))


def _invalid(reason: EndReason, finding: str) -> Verdict:
    return Verdict(reason, f"{ENDINGS[reason].sentence} Found: {finding}.")
