"""FigureStore over SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database, translated
from orchestrator.adapters.sql.tables import suspect_devices, training_attempts, training_jobs
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.ports.figure_store import Figures

_PROBE_MILLISECONDS = 2_000


class SqlFigureStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def figures(self) -> Figures:
        job, attempt = training_jobs.c, training_attempts.c
        # A queued job changes only when it is queued, so its last change is when it began to wait.
        by_status = sa.select(
            job.status,
            sa.func.count().label("jobs"),
            sa.func.sum(job.retries).label("retries"),
            sa.func.min(job.updated_at).label("oldest_change"),
        ).group_by(job.status)
        by_reason = (
            sa.select(attempt.end_reason, sa.func.count().label("attempts"))
            .where(attempt.end_reason.is_not(None))
            .group_by(attempt.end_reason)
        )
        with self._database.read() as connection:
            states = {JobStatus(row.status): row for row in connection.execute(by_status)}
            ended = {EndReason(row.end_reason): row.attempts for row in connection.execute(by_reason)}
            suspects = connection.scalar(sa.select(sa.func.count()).select_from(suspect_devices))
        queued = states.get(JobStatus.QUEUED)
        return Figures(
            jobs={status: states[status].jobs if status in states else 0 for status in JobStatus},
            ended_attempts={reason: ended.get(reason, 0) for reason in EndReason},
            retries=int(sum(row.retries for row in states.values())),
            waiting_since=queued.oldest_change if queued is not None else None,
            suspect_devices=suspects or 0,
        )

    def check_writes(self) -> None:
        with translated(), self._database.engine.connect() as connection, _impatient(connection), connection.begin():
            connection.execute(sa.select(1))


@contextmanager
def _impatient(connection: sa.Connection) -> Iterator[None]:
    """SQLite waits as long for another's write as its connection says; Postgres lets a transaction begin anyway."""
    if connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()  # beside SQLAlchemy, which would begin a transaction for it
    cursor.execute("PRAGMA busy_timeout")
    [[usual]] = cursor.fetchall()
    cursor.execute(f"PRAGMA busy_timeout = {_PROBE_MILLISECONDS}")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
        cursor.close()
