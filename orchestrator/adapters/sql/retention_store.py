"""RetentionStore over SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.rows import event_row
from orchestrator.adapters.sql.tables import artifacts, deleted_jobs, training_events, training_jobs, training_metrics
from orchestrator.domain.artifact import ArtifactKind
from orchestrator.domain.events import JobEvent
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.retention import GAP, Kind
from orchestrator.ports.retention_store import Aged

_FINAL = tuple(status for status in JobStatus if status.is_final)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where the rows of a kind are, which column names their job, and which of the table's rows are meant."""

    table: sa.Table
    job_id: sa.Column[str]
    condition: sa.ColumnElement[bool]


_ROWS = {
    Kind.METRICS: _Rows(training_metrics, training_metrics.c.run_id, sa.true()),
    Kind.EVENTS: _Rows(training_events, training_events.c.job_id, training_events.c.event_type != GAP),
    Kind.CHECKPOINTS: _Rows(artifacts, artifacts.c.job_id, artifacts.c.kind == ArtifactKind.CHECKPOINT),
}


class SqlRetentionStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def aged(self, kind: Kind, *, ended_before: datetime, limit: int, after: str = "") -> Sequence[Aged]:
        rows, jobs = _ROWS[kind], training_jobs.c
        count = (
            sa.select(sa.func.count()).select_from(rows.table).where(rows.job_id == jobs.id, rows.condition)
        ).scalar_subquery()
        query = (
            sa.select(jobs.id, jobs.completed_at, count.label("rows"))
            .where(
                jobs.status.in_(_FINAL),
                jobs.completed_at < ended_before,
                jobs.id > after,
                sa.exists().where(rows.job_id == jobs.id, rows.condition),
            )
            .order_by(jobs.id)
            .limit(limit)
        )
        with self._database.look() as connection:
            return [Aged(row.id, row.completed_at, row.rows) for row in connection.execute(query)]

    def remove_rows(self, kind: Kind, job_id: str, gap: JobEvent | None) -> int:
        rows = _ROWS[kind]
        with self._database.write() as connection:
            if not _is_ended(connection, job_id):
                return 0
            removed = connection.execute(rows.table.delete().where(rows.job_id == job_id, rows.condition)).rowcount
            if removed:
                _insert(connection, gap)
        return removed

    def ended(self, job_ids: Collection[str], *, before: datetime) -> Mapping[str, datetime]:
        jobs = training_jobs.c
        query = sa.select(jobs.id, jobs.completed_at).where(
            jobs.id.in_(job_ids), jobs.status.in_(_FINAL), jobs.completed_at < before
        )
        with self._database.look() as connection:
            return {row.id: row.completed_at for row in connection.execute(query)}

    def unknown(self, job_ids: Collection[str]) -> frozenset[str]:
        query = sa.select(training_jobs.c.id).where(training_jobs.c.id.in_(job_ids))
        with self._database.look() as connection:
            return frozenset(job_ids) - frozenset(connection.scalars(query))

    def deleted(self) -> Sequence[str]:
        with self._database.look() as connection:
            return list(connection.scalars(sa.select(deleted_jobs.c.job_id).order_by(deleted_jobs.c.job_id)))

    def forget_deleted(self, job_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(deleted_jobs.delete().where(deleted_jobs.c.job_id == job_id))

    @contextmanager
    def while_ended(self, job_id: str, gap: JobEvent | None) -> Iterator[bool]:
        with self._database.write() as connection:
            is_ended = _is_ended(connection, job_id)
            if is_ended:
                _insert(connection, gap)
            yield is_ended


def _is_ended(connection: sa.Connection, job_id: str) -> bool:
    """Locks the job's row where the database can; SQLite's write transaction holds everything as it is."""
    query = sa.select(training_jobs.c.status).where(training_jobs.c.id == job_id).with_for_update()
    return connection.scalar(query) in _FINAL


def _insert(connection: sa.Connection, gap: JobEvent | None) -> None:
    if gap is not None:
        connection.execute(training_events.insert().values(event_row(gap)))
