"""JobStore over SQL: every write guarded by the version it was read at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from orchestrator.adapters.sql.audit_log import insert_audit_entry
from orchestrator.adapters.sql.diagnostic_table import insert_table, select_table
from orchestrator.adapters.sql.engine import Database, violates
from orchestrator.adapters.sql.job_lists import count_jobs, select_jobs
from orchestrator.adapters.sql.job_rows import get_job
from orchestrator.adapters.sql.lineage import record_adapter, record_lineage
from orchestrator.adapters.sql.rows import attempt_from, attempt_row, event_row, job_from, job_row, metric_row, run_from
from orchestrator.adapters.sql.tables import (
    ONE_JOB_A_SLOT,
    ONE_SUBMISSION_A_KEY,
    gpu_leases,
    training_attempts,
    training_events,
    training_jobs,
    training_metrics,
)
from orchestrator.adapters.sql.totals import Totals
from orchestrator.adapters.sql.trash import release_key, remove_job
from orchestrator.adapters.sql.webhook_store import post_transitions
from orchestrator.domain.artifact import Artifact
from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.diagnostic import DiagnosticTable
from orchestrator.domain.errors import Conflict, SlotTaken, StaleJob
from orchestrator.domain.estimates import Run
from orchestrator.domain.events import JobEvent, Metric, status_event
from orchestrator.domain.identity import Actor
from orchestrator.domain.job import Attempt, Job, JobChanges
from orchestrator.domain.lifecycle import ENDINGS, EndReason, JobStatus
from orchestrator.domain.lineage import Lineage
from orchestrator.domain.scheduling import QueuedJob
from orchestrator.domain.training import TrainingType
from orchestrator.ports.job_store import JobFilter, JobOrder, JobPage, Standing, Submission

_ACTIVE = (JobStatus.PENDING, JobStatus.RUNNING)
_OPEN = (JobStatus.QUEUED, *_ACTIVE)
_MOST_PARAMETERS = 1_000  # in one statement; databases have limits
# In the order of QueuedJob's fields. The database picks the one number that is needed out of the config.
_QUEUED_COLUMNS = [
    training_jobs.c.config["steps"].as_integer() if name == "steps" else training_jobs.c[name]
    for name in QueuedJob._fields
]


class SqlJobStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._totals = Totals()

    def add(
        self,
        job: Job,
        event: JobEvent,
        submission: Submission | None = None,
        *,
        audit: AuditEntry | None = None,
        table: DiagnosticTable | None = None,
    ) -> Job:
        row = job_row(job)
        if submission is not None:
            row |= {"idempotency_key": submission.key, "body_hash": submission.body_hash}
        try:
            with self._database.write() as connection:
                connection.execute(training_jobs.insert(), row)
                _insert_history(connection, job, [event])
                if table is not None:
                    insert_table(connection, job.id, table)
                if audit is not None:
                    insert_audit_entry(connection, audit)
        except sa.exc.IntegrityError as error:
            if submission is None or not violates(error, ONE_SUBMISSION_A_KEY):
                raise
            with self._database.write() as connection:
                is_free = release_key(connection, job.user_id, submission.key)
            if is_free:
                return self.add(job, event, submission, audit=audit, table=table)
            return self._submitted_before(job.user_id, submission)
        return job

    def get(self, job_id: str) -> Job:
        with self._database.look() as connection:
            return get_job(connection, job_id)

    def list(self, wanted: JobFilter, *, page: int = 1, page_size: int = 50) -> JobPage:
        counted = replace(wanted, order=JobOrder.NEWEST)  # the same number in every order
        with self._database.read() as connection:
            total = self._totals.get(counted, lambda: count_jobs(connection, counted))
            jobs = select_jobs(connection, wanted, total=total, page=page, page_size=page_size)
        return JobPage(jobs, total)

    def table(self, job_id: str) -> DiagnosticTable | None:
        with self._database.look() as connection:
            return select_table(connection, job_id)

    def queue(self) -> Sequence[QueuedJob]:
        query = (
            sa.select(*_QUEUED_COLUMNS)
            .where(training_jobs.c.status == JobStatus.QUEUED)
            .order_by(training_jobs.c.created_at, training_jobs.c.id)
        )
        with self._database.look() as connection:
            return [QueuedJob._make(row) for row in connection.execute(query).all()]

    def recent_runs(self, limit: int = 50) -> Sequence[Run]:
        job = training_jobs.c
        query = (
            sa.select(
                job.base_model, job.config, job.metrics, job.gpu_ids, job.current_step, job.started_at, job.completed_at
            )
            .where(job.status == JobStatus.COMPLETED, job.attempt == 1)
            .where(job.current_step > 0, job.started_at.is_not(None), job.type != TrainingType.DIAGNOSTIC)
            .where(job.continues.is_(None))  # they took fewer steps than they say
            .order_by(job.created_at.desc())
            .limit(limit)
        )
        with self._database.look() as connection:
            return [run_from(row) for row in connection.execute(query).mappings()]

    def active(self) -> Sequence[tuple[Job, Attempt]]:
        attempt_columns = [column.label(f"attempt_{column.name}") for column in training_attempts.c]
        query = (
            sa.select(training_jobs, *attempt_columns)
            .join(
                training_attempts,
                sa.and_(
                    training_attempts.c.job_id == training_jobs.c.id,
                    training_attempts.c.number == training_jobs.c.attempt,
                ),
            )
            .where(training_jobs.c.status.in_(_ACTIVE))
            .order_by(training_jobs.c.created_at, training_jobs.c.id)
        )
        with self._database.look() as connection:
            return [(job_from(row), attempt_from(row, "attempt_")) for row in connection.execute(query).mappings()]

    def standings(self, job_ids: Collection[str]) -> Mapping[str, Standing]:
        job, wanted = training_jobs.c, list(job_ids)
        with self._database.read() as connection:
            return {
                row.id: Standing(JobStatus(row.status), row.attempt)
                for first in range(0, len(wanted), _MOST_PARAMETERS)
                for row in connection.execute(
                    sa.select(job.id, job.status, job.attempt).where(
                        job.id.in_(wanted[first : first + _MOST_PARAMETERS])
                    )
                )
            }

    def attempts(self, job_id: str) -> Sequence[Attempt]:
        query = (
            sa.select(training_attempts)
            .where(training_attempts.c.job_id == job_id)
            .order_by(training_attempts.c.number)
        )
        with self._database.look() as connection:
            return [attempt_from(row) for row in connection.execute(query).mappings()]

    def claim(self, job: Job, attempt: Attempt, event: JobEvent) -> Job:
        leases = [
            {"device": device, "job_id": job.id, "attempt": attempt.number, "leased_at": attempt.created_at}
            for device in attempt.devices
        ]
        try:
            with self._database.write() as connection:
                stored = _update(connection, job)
                connection.execute(training_attempts.insert().values(attempt_row(attempt)))
                if leases:
                    connection.execute(gpu_leases.insert().values(leases))
                _insert_history(connection, stored, [event])
        except sa.exc.IntegrityError as error:
            if not violates(error, ONE_JOB_A_SLOT) and not violates(error, gpu_leases.primary_key):
                raise
            raise SlotTaken(f"A slot or device for job {job.id} went to another job first.") from error
        return stored

    def save(
        self,
        job: Job,
        attempt: Attempt | None = None,
        *,
        events: Sequence[JobEvent] = (),
        metrics: Sequence[Metric] = (),
        lineage: Lineage | None = None,
        adapter: Artifact | None = None,
        audit: AuditEntry | None = None,
    ) -> Job:
        with self._database.write() as connection:
            stored = _update(connection, job)
            if attempt is not None and not _update_attempt(connection, attempt, *_not_beyond(attempt)):
                raise StaleJob(f"Attempt {attempt.number} of job {job.id} went on since it was loaded.")
            if not job.status.is_active:
                connection.execute(gpu_leases.delete().where(gpu_leases.c.job_id == job.id))
            _insert_history(connection, stored, events)
            _insert_metrics(connection, metrics)
            if lineage is not None:
                record_lineage(connection, lineage)
            if adapter is not None:
                record_adapter(connection, adapter, at=job.updated_at)
            if audit is not None:
                insert_audit_entry(connection, audit)
        return stored

    def advance(
        self,
        job: Job,
        before: Attempt,
        after: Attempt,
        *,
        events: Sequence[JobEvent] = (),
        metrics: Sequence[Metric] = (),
    ) -> None:
        unchanged = sa.select(training_jobs.c.id).where(*_as_loaded(job)).with_for_update(read=True)
        with self._database.write() as connection:
            if connection.scalar(unchanged) is None or not _update_attempt(connection, after, *_place_of(before)):
                raise StaleJob(f"Job {job.id} changed since it was loaded.")
            _insert_history(connection, job, events)
            _insert_metrics(connection, metrics)

    def request_cancel(
        self,
        job_id: str,
        *,
        reason: str | None,
        at: datetime,
        saves: bool = True,
        actor: Actor = Actor.USER,
        audit: AuditEntry | None = None,
    ) -> Job:
        with self._database.write() as connection:
            before = get_job(connection, job_id, for_update=True)
            is_first = before.cancel_requested_at is None
            wish = _cancel_statement(job_id, reason, at, saves=saves) if is_first else _hurry_statement(job_id, at)
            is_news = (is_first or not saves) and connection.execute(wish).rowcount > 0
            after = get_job(connection, job_id)
            if is_news:
                what = "Cancel requested" if saves else "Stop requested, without time to save"
                message = f"{what}: {reason}" if reason else f"{what}."
                _insert_history(connection, after, [_cancel_event(before, after, message, actor)])
                if audit is not None:
                    insert_audit_entry(connection, audit)
        return after

    def describe(self, job_id: str, changes: JobChanges, *, at: datetime, audit: AuditEntry | None = None) -> Job:
        job = training_jobs.c
        said = dict(changes) | ({"tags": list(changes["tags"])} if "tags" in changes else {})
        with self._database.write() as connection:
            before = get_job(connection, job_id, for_update=True)
            connection.execute(
                training_jobs.update().where(job.id == before.id).values(**said, updated_at=at, version=job.version + 1)
            )
            if audit is not None:
                insert_audit_entry(connection, audit)
            return get_job(connection, job_id)

    def hold(self, job_id: str, reason: str | None) -> bool:
        job = training_jobs.c
        held = training_jobs.update().where(job.id == job_id, job.status == JobStatus.QUEUED)
        # The version says that somebody changed the row who knows what `updated_at` means.
        with self._database.write() as connection:
            return connection.execute(held.values(hold_reason=reason, version=job.version + 1)).rowcount > 0

    def delete(self, job: Job, *, at: datetime, is_restorable: bool = False, audit: AuditEntry | None = None) -> None:
        gone = training_jobs.update().where(*_as_loaded(job), training_jobs.c.status.not_in(_OPEN))
        with self._database.write() as connection:
            hidden = gone.values(deleted_at=at, updated_at=at, version=job.version + 1)
            if connection.execute(hidden).rowcount == 0:
                raise StaleJob(f"Job {job.id} changed since it was loaded.")
            if not is_restorable:
                remove_job(connection, job.id, at=at)
            if audit is not None:
                insert_audit_entry(connection, audit)

    def leased_devices(self) -> frozenset[str]:
        with self._database.look() as connection:
            return frozenset(connection.scalars(sa.select(gpu_leases.c.device)))

    def _submitted_before(self, user_id: str, submission: Submission) -> Job:
        query = sa.select(training_jobs).where(
            training_jobs.c.user_id == user_id, training_jobs.c.idempotency_key == submission.key
        )
        with self._database.look() as connection:
            row = connection.execute(query).mappings().one()
        if row["body_hash"] != submission.body_hash:
            message = f"Idempotency-Key {submission.key!r} was already used with another body. Use a new key."
            raise Conflict(message, code="IDEMPOTENCY_KEY_REUSED")
        return job_from(row)


def _update(connection: sa.Connection, job: Job) -> Job:
    """Write `job` if its stored version is still the one it was loaded with."""
    stored = replace(job, version=job.version + 1)
    result = connection.execute(training_jobs.update().where(*_as_loaded(job)).values(job_row(stored)))
    if result.rowcount == 0:
        raise StaleJob(f"Job {job.id} changed since it was loaded.")
    return stored


def _as_loaded(job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    return training_jobs.c.id == job.id, training_jobs.c.version == job.version


def _update_attempt(connection: sa.Connection, attempt: Attempt, *conditions: sa.ColumnElement[bool]) -> bool:
    """Whether there is such an attempt."""
    key = (training_attempts.c.job_id == attempt.job_id, training_attempts.c.number == attempt.number)
    result = connection.execute(training_attempts.update().where(*key, *conditions).values(attempt_row(attempt)))
    return result.rowcount > 0


def _place_of(attempt: Attempt) -> tuple[sa.ColumnElement[bool], ...]:
    columns = training_attempts.c
    return columns.events_offset == attempt.events_offset, columns.log_bytes == attempt.log_bytes


def _not_beyond(attempt: Attempt) -> tuple[sa.ColumnElement[bool], ...]:
    """What was taken in is never taken in again: no write puts an attempt back to an earlier place."""
    columns = training_attempts.c
    return columns.events_offset <= attempt.events_offset, columns.log_bytes <= attempt.log_bytes


def _insert_history(connection: sa.Connection, job: Job, events: Sequence[JobEvent]) -> None:
    """`job` as it stands after these events; webhooks are told of its transitions."""
    if events:
        connection.execute(training_events.insert(), [event_row(event) for event in events])
        post_transitions(connection, job, events)


def _insert_metrics(connection: sa.Connection, metrics: Sequence[Metric]) -> None:
    if metrics:
        insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
        once = insert(training_metrics).on_conflict_do_nothing()
        connection.execute(once, [metric_row(metric) for metric in metrics])


def _cancel_statement(job_id: str, reason: str | None, at: datetime, *, saves: bool) -> sa.Update:
    """One statement, so that it cannot lose against a save: whoever saves an older version finds it stale."""
    is_queued = training_jobs.c.status == JobStatus.QUEUED
    when_queued: dict[str, Any] = {
        "status": JobStatus.CANCELLED,
        "end_reason": EndReason.CANCEL_REQUESTED,
        "error_message": ENDINGS[EndReason.CANCEL_REQUESTED].sentence,
        "completed_at": at,
    }
    ends = {
        name: sa.case((is_queued, sa.literal(value, training_jobs.c[name].type)), else_=training_jobs.c[name])
        for name, value in when_queued.items()
    }
    return (
        training_jobs.update()
        .where(
            training_jobs.c.id == job_id,
            training_jobs.c.status.in_(_OPEN),
            training_jobs.c.cancel_requested_at.is_(None),
        )
        .values(
            cancel_requested_at=at,
            cancel_reason=reason,
            kill_at=sa.null()
            if saves
            else sa.case((is_queued, sa.null()), else_=sa.literal(at, training_jobs.c.kill_at.type)),
            updated_at=at,
            version=training_jobs.c.version + 1,
            **ends,
        )
    )


def _hurry_statement(job_id: str, at: datetime) -> sa.Update:
    """A container that was given time to save, or is about to, has none left."""
    job = training_jobs.c
    has_time = sa.or_(job.kill_at.is_(None), job.kill_at > at)
    return (
        training_jobs.update()
        .where(job.id == job_id, job.status.in_(_ACTIVE), has_time)
        .values(kill_at=at, updated_at=at, version=job.version + 1)
    )


def _cancel_event(before: Job, after: Job, message: str, actor: Actor) -> JobEvent:
    event = status_event(before, after, message, actor=actor)
    return event if before.status != after.status else replace(event, type="cancel", old_status=None, new_status=None)
