"""One job by its id."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.rows import job_from
from orchestrator.adapters.sql.tables import training_jobs
from orchestrator.domain.errors import NotFound
from orchestrator.domain.job import Job


def get_job(
    connection: sa.Connection, job_id: str, *conditions: sa.ColumnElement[bool], for_update: bool = False
) -> Job:
    """`for_update`: nobody changes the row before this transaction ends (SQLite has one writer anyway)."""
    query = sa.select(training_jobs).where(training_jobs.c.id == job_id, *conditions)
    row = connection.execute(query.with_for_update() if for_update else query).mappings().one_or_none()
    if row is None:
        raise unknown_job(job_id)
    return job_from(row)


def unknown_job(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id}.", code="JOB_NOT_FOUND")
