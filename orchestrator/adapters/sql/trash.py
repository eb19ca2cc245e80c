"""Trash over SQL, and what other stores need of it within their own transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orchestrator.adapters.sql.audit_log import insert_audit_entry
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.job_rows import IN_TRASH, get_job, unknown_job
from orchestrator.adapters.sql.lineage import forget_version
from orchestrator.adapters.sql.rows import job_from
from orchestrator.adapters.sql.tables import deleted_jobs, training_jobs
from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.job import Job

_job = training_jobs.c
# Found by an index of their own, so that lists of very many jobs need not look at each for whether it is one of these.
_gone = training_jobs.alias("gone")
DELETED = sa.select(_gone.c.id).where(_gone.c.deleted_at.is_not(None))


class SqlTrash:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, job_id: str) -> Job:
        with self._database.look() as connection:
            return get_job(connection, job_id, IN_TRASH)

    def list(self, user_id: str, *, since: datetime, limit: int = 100) -> Sequence[Job]:
        query = (
            sa.select(training_jobs)
            .where(_job.user_id == user_id, _job.deleted_at >= since)
            .order_by(_job.deleted_at.desc(), _job.id)
            .limit(limit)
        )
        with self._database.look() as connection:
            return [job_from(row) for row in connection.execute(query).mappings()]

    def restore(self, job_id: str, *, since: datetime, at: datetime, audit: AuditEntry | None = None) -> Job:
        back = training_jobs.update().where(_job.id == job_id, _job.deleted_at >= since)
        with self._database.write() as connection:
            if not connection.execute(back.values(deleted_at=None, updated_at=at, version=_job.version + 1)).rowcount:
                raise unknown_job(job_id)
            if audit is not None:
                insert_audit_entry(connection, audit)
            return get_job(connection, job_id)

    def due(self, *, before: datetime) -> Sequence[str]:
        with self._database.look() as connection:
            return list(connection.scalars(_due(before)))

    def empty(self, *, before: datetime, at: datetime, limit: int | None = None) -> int:
        with self._database.write() as connection:
            job_ids = list(connection.scalars(_due(before).limit(limit).with_for_update()))
            for job_id in job_ids:
                remove_job(connection, job_id, at=at)
        return len(job_ids)


def remove_job(connection: sa.Connection, job_id: str, *, at: datetime) -> None:
    """With all its records, for good; the version it is registered as keeps its number, and retention its files."""
    forget_version(connection, job_id, at=at)
    connection.execute(training_jobs.delete().where(_job.id == job_id))
    connection.execute(deleted_jobs.insert().values(job_id=job_id, deleted_at=at))


def release_key(connection: sa.Connection, user_id: str, key: str) -> bool:
    """Whether a deleted job had that idempotency key, which it has no longer: nobody can be answered with that job."""
    of_deleted = training_jobs.update().where(
        _job.user_id == user_id, _job.idempotency_key == key, _job.deleted_at.is_not(None)
    )
    released = of_deleted.values(idempotency_key=None, body_hash=None, version=_job.version + 1)
    return connection.execute(released).rowcount > 0


def _due(before: datetime) -> sa.Select[Any]:
    return sa.select(_job.id).where(_job.deleted_at < before).order_by(_job.deleted_at, _job.id)
