"""After a container has ended: copy its files out of its reach, and look for evidence before calling it a success."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.domain.artifact import AdapterClaim, Artifact, ArtifactKind, adapter_claims
from orchestrator.domain.errors import Rejected
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.lifecycle import ENDINGS, EndReason, exit_sentence
from orchestrator.ports.artifact_store import ArtifactStore, CollectedFile
from orchestrator.ports.clock import Clock
from orchestrator.ports.record_store import RecordStore

_NAMESPACE = uuid.UUID("6a0f5a5e-58a4-4a3e-9d0a-0f1d4f0b7c11")
_KIND_BY_FOLDER = {"samples": ArtifactKind.SAMPLE, "checkpoints": ArtifactKind.CHECKPOINT}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a job ends, and the sentence that says more than the reason alone."""

    reason: EndReason
    message: str | None = None


class Collect:
    def __init__(self, *, records: RecordStore, artifacts: ArtifactStore, clock: Clock) -> None:
        self._records = records
        self._artifacts = artifacts
        self._clock = clock

    def conclude(self, job: Job, attempt: Attempt) -> Verdict:
        """The verdict on a container that exited with 0: completed only if its adapter files pass verification."""
        claims = self._collected_claims(job, attempt)
        if not claims:
            return _invalid("its result names no adapter file")
        for claim in claims:
            try:
                self._artifacts.verify_adapter(job.id, claim)
            except Rejected as error:
                return _invalid(error.message)
        return Verdict(EndReason.ADAPTER_VERIFIED)

    def explain(self, job: Job, attempt: Attempt, reason: EndReason) -> Verdict:
        """The verdict on a container that ended otherwise, with the trainer's own sentence where it left one.

        What the container left (samples, checkpoints) is collected all the same.
        """
        self._collected_claims(job, attempt)
        error = self._records.latest_event(job.id, attempt=attempt.number, type="error")
        if reason is EndReason.CANCEL_REQUESTED:
            return Verdict(reason)
        if error is not None:
            return Verdict(reason, f"{ENDINGS[reason].sentence} {error.message}")
        if reason is EndReason.TRAINER_FAILED and attempt.exit_code is not None:
            return Verdict(reason, f"{ENDINGS[reason].sentence} {exit_sentence(attempt.exit_code)}")
        return Verdict(reason)

    def _collected_claims(self, job: Job, attempt: Attempt) -> Sequence[AdapterClaim]:
        result = self._records.latest_event(job.id, attempt=attempt.number, type="result")
        claims = adapter_claims(result.data) if result is not None else []
        files = self._artifacts.collect(job.id)
        claimed = {claim.path for claim in claims}
        self._records.add_artifacts([self._artifact(job, attempt, file, claimed) for file in files])
        return claims

    def _artifact(self, job: Job, attempt: Attempt, file: CollectedFile, claimed: Collection[str]) -> Artifact:
        path = PurePosixPath(file.path)
        kind = ArtifactKind.ADAPTER if file.path in claimed else _KIND_BY_FOLDER.get(path.parts[0], ArtifactKind.OTHER)
        return Artifact(
            # The same file of the same attempt has the same id, so that a repeated collection adds nothing.
            id=str(uuid.uuid5(_NAMESPACE, f"{job.id}/{attempt.number}/{file.path}")),
            job_id=job.id,
            attempt=attempt.number,
            kind=kind,
            name=path.name,
            path=file.path,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            created_at=self._clock.now(),
        )


def _invalid(finding: str) -> Verdict:
    sentence = ENDINGS[EndReason.ADAPTER_INVALID].sentence
    return Verdict(EndReason.ADAPTER_INVALID, f"{sentence} Found: {finding}.")
