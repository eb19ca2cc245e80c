"""UploadStore over SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import Instant, artifact_uploads, artifacts, training_jobs
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.upload_store import PendingUpload, UploadOutcome

_KINDS = (ArtifactKind.ADAPTER, ArtifactKind.SAMPLE, ArtifactKind.OTHER)


class SqlUploadStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, *, after_id: str, limit: int) -> Sequence[PendingUpload]:
        query = (
            sa.select(artifacts, training_jobs.c.user_id)
            .join(training_jobs, training_jobs.c.id == artifacts.c.job_id)
            .outerjoin(artifact_uploads, artifact_uploads.c.artifact_id == artifacts.c.id)
            .where(
                artifact_uploads.c.artifact_id.is_(None),
                artifacts.c.id > after_id,
                artifacts.c.kind.in_(_KINDS),
                training_jobs.c.status == JobStatus.COMPLETED,
            )
            .order_by(artifacts.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_pending(dict(row)) for row in connection.execute(query).mappings()]

    def settle(self, artifact_id: str, outcome: UploadOutcome, *, at: datetime) -> None:
        this = sa.select(artifacts.c.id, sa.literal(outcome.value), sa.literal(at, Instant)).where(
            artifacts.c.id == artifact_id
        )
        with self._database.write() as connection:
            connection.execute(artifact_uploads.delete().where(artifact_uploads.c.artifact_id == artifact_id))
            connection.execute(artifact_uploads.insert().from_select(["artifact_id", "outcome", "settled_at"], this))


def _pending(row: dict[str, object]) -> PendingUpload:
    user_id = str(row.pop("user_id"))
    fields = {**row, "kind": ArtifactKind(str(row["kind"]))}
    return PendingUpload(Artifact(**fields), user_id)  # type: ignore[arg-type] # the row's columns are its fields
