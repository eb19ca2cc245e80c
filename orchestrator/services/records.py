"""What a user may read about a job: history, metrics, log, artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.curves import Curve
from orchestrator.domain.errors import NotFound, StoreUnavailable
from orchestrator.domain.events import JobEvent
from orchestrator.domain.identity import Identity
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.object_store import ObjectStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.upload_store import UploadStore
from orchestrator.ports.workspace import LogPart, Workspace
from orchestrator.services.artifact_tickets import ArtifactTickets
from orchestrator.services.ownership import owned_artifact, owned_job
from orchestrator.services.tickets import Issued

log = structlog.get_logger()

LINK_TIME = timedelta(hours=1)
_LOG_PIECE_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """An artifact and the absolute path of its bytes."""

    artifact: Artifact
    path: str


@dataclass(frozen=True, slots=True)
class Link:
    """An address that anybody who has it may download an artifact from."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ArtifactCopies:
    """Where copies of artifacts lie."""

    store: UploadStore
    objects: ObjectStore
    clock: Clock


class Records:
    """Every method raises NotFound for an unknown job, and for another user's."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        records: RecordStore,
        artifacts: ArtifactStore,
        workspace: Workspace,
        tickets: ArtifactTickets,
        copies: ArtifactCopies | None = None,
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._artifacts = artifacts
        self._workspace = workspace
        self._tickets = tickets
        self._copies = copies

    def events(self, identity: Identity, job_id: str, *, after_id: int, limit: int) -> Sequence[JobEvent]:
        return self._records.events(owned_job(self._jobs, identity, job_id).id, after_id=after_id, limit=limit)

    def curve(self, identity: Identity, job_id: str, *, attempt: int | None, points: int) -> Curve:
        """A series longer than `points` is thinned; its extremes and validations stay."""
        return self._records.curve(owned_job(self._jobs, identity, job_id).id, attempt=attempt, points=points)

    def log(self, identity: Identity, job_id: str, *, tail: int, after: int | None = None) -> LogPart:
        """At most `tail` lines: those behind line `after`, or the last ones."""
        return self._workspace.log_part(owned_job(self._jobs, identity, job_id).id, after=after, limit=tail)

    def whole_log(self, identity: Identity, job_id: str) -> Iterator[bytes]:
        """Piece by piece, as far as it goes by then."""
        return self._log_pieces(owned_job(self._jobs, identity, job_id).id)

    def artifacts(self, identity: Identity, job_id: str) -> Sequence[Artifact]:
        return self._records.artifacts(owned_job(self._jobs, identity, job_id).id)

    def artifact_file(self, identity: Identity, artifact_id: str) -> ArtifactFile:
        """Raises NotFound (ARTIFACT_NOT_FOUND), in the same words for one that is not there and one of another user."""
        artifact = self._owned_artifact(identity, artifact_id)
        return ArtifactFile(artifact, self._artifacts.locate(artifact.job_id, artifact.path))

    def link(self, identity: Identity, artifact_id: str, *, name: str | None = None) -> Link | None:
        """To the artifact's copy in the object store, which answers with `name` instead of the artifact's own; None:
        there is none, or the object store is away."""
        artifact = self._owned_artifact(identity, artifact_id)
        key = self._copies.store.object_key(artifact.id) if self._copies else None
        if self._copies is None or key is None:
            return None
        expires_at = self._copies.clock.now() + LINK_TIME
        seconds = int(LINK_TIME.total_seconds())
        try:
            url = self._copies.objects.signed_url(key, name=name or artifact.name, seconds=seconds)
        except (NotFound, StoreUnavailable) as error:
            log.warning("copy not linked to", artifact_id=artifact.id, error=error.message)
            return None
        return Link(url, expires_at)

    def open_link(self, identity: Identity, artifact_id: str, *, name: str | None = None) -> Link | Issued:
        """What a browser can follow: the same, or a ticket for the file here."""
        found = self.link(identity, artifact_id, name=name)
        return found or self._tickets.issue(identity, artifact_id)

    def _log_pieces(self, job_id: str) -> Iterator[bytes]:
        offset = 0
        while lines := self._workspace.log_lines(job_id, offset=offset, limit_bytes=_LOG_PIECE_BYTES):
            piece = b"".join(lines)
            offset += len(piece)
            yield piece

    def _owned_artifact(self, identity: Identity, artifact_id: str) -> Artifact:
        return owned_artifact(self._jobs, self._records, identity, artifact_id)
