"""AnalysisStore over SQL: the counting is done where the rows are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orchestrator.adapters.sql.durations import day_of, seconds_between
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import Instant, training_attempts, training_jobs
from orchestrator.adapters.sql.trained_files import checkpoints_of
from orchestrator.domain.analysis import Result
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.statistics import Grouping, Tally
from orchestrator.ports.analysis_store import Scope

_ACTIVE = (JobStatus.PENDING, JobStatus.RUNNING)
_GROUPS: dict[Grouping, sa.ColumnElement[Any]] = {
    Grouping.DAY: day_of(training_jobs.c.created_at),
    Grouping.BASE_MODEL: training_jobs.c.base_model,
    Grouping.USER: training_jobs.c.user_id,
}


class SqlAnalysisStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def tally(self, scope: Scope, *, now: datetime) -> Tally:
        with self._database.look() as connection:
            return _tally_from(connection.execute(_tally_of(scope, now)).mappings().one())

    def tallies(self, scope: Scope, by: Grouping, *, now: datetime, limit: int = 1_000) -> Mapping[str, Tally]:
        group = _GROUPS[by].label("group")
        order = [group] if by is Grouping.DAY else [sa.func.count().desc(), group]
        query = _tally_of(scope, now).add_columns(group).group_by(group).order_by(*order).limit(limit)
        with self._database.look() as connection:
            return {row["group"]: _tally_from(row) for row in connection.execute(query).mappings()}

    def results(self, job_ids: Collection[str], *, now: datetime) -> Mapping[str, Result]:
        with self._database.read() as connection:
            best = {row.id: row for row in connection.execute(_best_validations(job_ids))}
            times = _times(training_jobs.c.id.in_(job_ids), now)
            seconds = {row.job_id: row.run_seconds for row in connection.execute(times)}
            checkpoints = checkpoints_of(connection, job_ids)
        return {
            job_id: Result(
                best_val_loss=best[job_id].best_val_loss if job_id in best else None,
                best_step=best[job_id].best_val_loss_step if job_id in best else None,
                checkpoints=checkpoints.get(job_id, ()),
                run_seconds=seconds.get(job_id, 0.0),
            )
            for job_id in job_ids
        }


def _tally_of(scope: Scope, now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """One row of sums over the scope's jobs."""
    job = training_jobs.c
    wanted = sa.and_(job.created_at >= scope.since, job.created_at < scope.until, job.deleted_at.is_(None))
    if scope.user_id is not None:
        wanted = sa.and_(job.user_id == scope.user_id, wanted)
    times = _times(wanted, now).subquery()
    queue_seconds = seconds_between(job.created_at, times.c.first_started_at)
    counts = [sa.func.count().filter(job.status == status).label(status.value) for status in JobStatus]
    return (
        sa.select(
            *counts,
            sa.func.count(times.c.first_started_at).label("started"),
            sa.func.coalesce(sa.func.sum(queue_seconds), 0.0).label("queue_seconds"),
            sa.func.coalesce(sa.func.sum(times.c.run_seconds), 0.0).label("run_seconds"),
            sa.func.coalesce(sa.func.sum(times.c.run_seconds * job.gpus), 0.0).label("gpu_seconds"),
        )
        .select_from(training_jobs.outerjoin(times, times.c.job_id == job.id))
        .where(wanted)
    )


def _times(wanted: sa.ColumnElement[bool], now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """For each job that ever started: when first, and how long its attempts ran together."""
    job, attempt = training_jobs.c, training_attempts.c
    is_at_work = sa.and_(job.status.in_(_ACTIVE), job.attempt == attempt.number)
    # A container that disappeared has no end of its own; the last that was heard of it has to do.
    last_seen_at = sa.func.coalesce(attempt.last_event_at, attempt.started_at)
    ended_at = sa.func.coalesce(
        attempt.finished_at, sa.case((is_at_work, sa.literal(now, Instant)), else_=last_seen_at)
    )
    return (
        sa.select(
            attempt.job_id,
            sa.func.min(attempt.started_at).label("first_started_at"),
            sa.func.sum(seconds_between(attempt.started_at, ended_at)).label("run_seconds"),
        )
        .join(training_jobs, job.id == attempt.job_id)
        .where(wanted, attempt.started_at.is_not(None))
        .group_by(attempt.job_id)
    )


def _best_validations(job_ids: Collection[str]) -> sa.Select[*tuple[Any, ...]]:
    job = training_jobs.c
    return sa.select(job.id, job.best_val_loss, job.best_val_loss_step).where(job.id.in_(job_ids))


def _tally_from(row: sa.RowMapping) -> Tally:
    return Tally(
        jobs={status: row[status.value] for status in JobStatus},
        started=row["started"],
        queue_seconds=row["queue_seconds"],
        run_seconds=row["run_seconds"],
        gpu_seconds=row["gpu_seconds"],
    )
