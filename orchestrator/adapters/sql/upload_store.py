"""UploadStore and CopyStore over SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import artifact_uploads, artifacts, dataset_uploads, datasets, training_jobs
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.upload_store import LeftCopy, PendingUpload, UploadOutcome

_KINDS = (ArtifactKind.ADAPTER, ArtifactKind.SAMPLE, ArtifactKind.MODEL_CARD, ArtifactKind.OTHER)
# A dataset's rows are stored once all of it is copied: one without rows may still be on its way.
UPLOAD_TIME = timedelta(hours=1)


class SqlUploadStore:
    """The copies of artifacts."""

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
                training_jobs.c.deleted_at.is_(None),
            )
            .order_by(artifacts.c.id)
            .limit(limit)
        )
        with self._database.look() as connection:
            return [_pending(dict(row)) for row in connection.execute(query).mappings()]

    def settle(self, artifact_id: str, outcome: UploadOutcome, *, object_key: str | None, at: datetime) -> None:
        row = {"artifact_id": artifact_id, "outcome": outcome, "object_key": object_key, "settled_at": at}
        with self._database.write() as connection:
            connection.execute(artifact_uploads.delete().where(artifact_uploads.c.artifact_id == artifact_id))
            connection.execute(artifact_uploads.insert().values(row))

    def object_key(self, artifact_id: str) -> str | None:
        query = sa.select(artifact_uploads.c.object_key).where(artifact_uploads.c.artifact_id == artifact_id)
        with self._database.look() as connection:
            return connection.scalar(query)

    def left_over(self, *, now: datetime, limit: int) -> Sequence[LeftCopy]:  # noqa: ARG002 - the port's signature
        copies = artifact_uploads.c
        query = (
            sa.select(copies.artifact_id, copies.object_key)
            .outerjoin(artifacts, artifacts.c.id == copies.artifact_id)
            .where(artifacts.c.id.is_(None))
            .order_by(copies.artifact_id)
            .limit(limit)
        )
        with self._database.look() as connection:
            rows = connection.execute(query).all()
        return [LeftCopy(row.artifact_id, (row.object_key,) if row.object_key else ()) for row in rows]

    def forget(self, ids: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.execute(artifact_uploads.delete().where(artifact_uploads.c.artifact_id.in_(ids)))


class SqlDatasetCopyStore:
    """The copies of datasets' pictures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, dataset_id: str, object_keys: Sequence[str], *, at: datetime) -> None:
        copies = dataset_uploads.c
        known = sa.select(copies.object_keys).where(copies.dataset_id == dataset_id).with_for_update()
        with self._database.write() as connection:
            keys = list(dict.fromkeys([*(connection.scalar(known) or ()), *object_keys]))
            row = {"dataset_id": dataset_id, "object_keys": keys, "begun_at": at}
            insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
            statement = insert(dataset_uploads).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["dataset_id"], set_=row))

    def left_over(self, *, now: datetime, limit: int) -> Sequence[LeftCopy]:
        copies = dataset_uploads.c
        query = (
            sa.select(copies.dataset_id, copies.object_keys)
            .outerjoin(datasets, datasets.c.id == copies.dataset_id)
            .where(datasets.c.id.is_(None), copies.begun_at < now - UPLOAD_TIME)
            .order_by(copies.dataset_id)
            .limit(limit)
        )
        with self._database.look() as connection:
            return [LeftCopy(row.dataset_id, tuple(row.object_keys)) for row in connection.execute(query)]

    def forget(self, ids: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.execute(dataset_uploads.delete().where(dataset_uploads.c.dataset_id.in_(ids)))


def _pending(row: dict[str, object]) -> PendingUpload:
    user_id = str(row.pop("user_id"))
    fields = {**row, "kind": ArtifactKind(str(row["kind"]))}
    return PendingUpload(Artifact(**fields), user_id)  # type: ignore[arg-type] # the row's columns are its fields
