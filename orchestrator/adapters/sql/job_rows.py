"""One job by its id."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from orchestrator.adapters.sql.rows import job_from
from orchestrator.adapters.sql.tables import training_jobs
from orchestrator.domain.errors import NotFound
from orchestrator.domain.job import Job

# Made once: making a statement takes longer than its answer.
_named = sa.select(training_jobs).where(training_jobs.c.id == sa.bindparam("job_id"))
NOT_DELETED = _named.where(training_jobs.c.deleted_at.is_(None))
IN_TRASH = _named.where(training_jobs.c.deleted_at.is_not(None))

_Jobs = sa.Select[tuple[Any, ...]]


def get_job(connection: sa.Connection, job_id: str, among: _Jobs = NOT_DELETED, *, for_update: bool = False) -> Job:
    """`for_update`: nobody changes the row before this transaction ends (SQLite has one writer anyway)."""
    query = among.with_for_update() if for_update else among
    row = connection.execute(query, {"job_id": job_id}).mappings().one_or_none()
    if row is None:
        raise unknown_job(job_id)
    return job_from(row)


def unknown_job(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id}.", code="JOB_NOT_FOUND")
