"""NewsStore over SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.rows import metric_from
from orchestrator.adapters.sql.tables import (
    audit_log,
    training_attempts,
    training_events,
    training_jobs,
    training_metrics,
)
from orchestrator.domain.audit import AuditAction
from orchestrator.domain.events import Metric
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.news_store import Pulse, Revocations

_OPEN = [status for status in JobStatus if not status.is_final]
_MOST_PARAMETERS = 1_000  # in one statement; databases have limits

_job, _attempt, _event, _metric = training_jobs.c, training_attempts.c, training_events.c, training_metrics.c
_PULSE = (
    sa.select(_job.id, _job.user_id, _job.version, _job.attempt, _attempt.events_offset, _attempt.log_bytes)
    .select_from(
        training_jobs.outerjoin(training_attempts, sa.and_(_attempt.job_id == _job.id, _attempt.number == _job.attempt))
    )
    .where(_job.deleted_at.is_(None))
)


class SqlNewsStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def pulses(self, *, job_ids: Collection[str], user_ids: Collection[str], after_event: int) -> Mapping[str, Pulse]:
        changed = sa.select(_event.job_id).where(_event.id > after_event)
        queries = [_PULSE.where(_job.id.in_(ids)) for ids in _portions(job_ids)]
        for users in _portions(user_ids):
            # Two questions, so that each is answered by an index of its own.
            queries.append(_PULSE.where(_job.status.in_(_OPEN), _job.user_id.in_(users)))
            queries.append(_PULSE.where(_job.id.in_(changed), _job.user_id.in_(users)))
        with self._database.read() as connection:
            rows = [row for query in queries for row in connection.execute(query)]
        return {
            row.id: Pulse(row.user_id, row.version, row.attempt, row.events_offset or 0, row.log_bytes or 0)
            for row in rows
        }

    def newest_event(self) -> int:
        with self._database.look() as connection:
            return connection.scalar(sa.select(sa.func.max(_event.id))) or 0

    def metrics_after(self, job_id: str, *, attempt: int, step: int, limit: int) -> Sequence[Metric]:
        query = (
            sa.select(training_metrics)
            .where(_metric.run_id == job_id, sa.tuple_(_metric.attempt, _metric.step) > sa.tuple_(attempt, step))
            .order_by(_metric.attempt, _metric.step)
            .limit(limit)
        )
        with self._database.look() as connection:
            return [metric_from(row) for row in connection.execute(query).mappings()]

    def newest_metric(self, job_id: str) -> tuple[int, int]:
        query = (
            sa.select(_metric.attempt, _metric.step)
            .where(_metric.run_id == job_id)
            .order_by(_metric.attempt.desc(), _metric.step.desc())
            .limit(1)
        )
        with self._database.look() as connection:
            row = connection.execute(query).one_or_none()
        return (row.attempt, row.step) if row is not None else (0, 0)

    def newest_event_of(self, job_id: str, *, up_to: int | None = None) -> tuple[int, int]:
        query = sa.select(_event.id, _event.attempt).where(_event.job_id == job_id)
        if up_to is not None:
            query = query.where(_event.id <= up_to)
        with self._database.look() as connection:
            row = connection.execute(query.order_by(_event.id.desc()).limit(1)).one_or_none()
        return (row.id, row.attempt) if row is not None else (0, 0)

    def revocations(self, *, after: int | None) -> Revocations:
        with self._database.read() as connection:
            if after is None:
                return Revocations(connection.scalar(sa.select(sa.func.max(audit_log.c.id))) or 0, frozenset())
            query = sa.select(audit_log.c.id, audit_log.c.action, audit_log.c.subject).where(audit_log.c.id > after)
            rows = connection.execute(query).all()
        revoked = frozenset(row.subject for row in rows if row.action == AuditAction.TOKENS_REVOKED)
        return Revocations(max([after, *(row.id for row in rows)]), revoked)


def _portions(values: Collection[str]) -> Sequence[list[str]]:
    listed = list(values)
    return [listed[first : first + _MOST_PARAMETERS] for first in range(0, len(listed), _MOST_PARAMETERS)]
