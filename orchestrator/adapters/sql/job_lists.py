"""Lists of jobs: which belong to one, how many these are, and which of them are on a page."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from orchestrator.adapters.sql.lists import holds
from orchestrator.adapters.sql.rows import job_from
from orchestrator.adapters.sql.tables import training_jobs
from orchestrator.adapters.sql.trash import DELETED
from orchestrator.domain.job import Job
from orchestrator.ports.job_store import JobFilter, JobOrder

_KEPT_STATEMENTS = 256  # the same lists are asked for again and again, and a statement takes long to make
FEW = 10_000  # jobs that are gathered and sorted sooner than an index is walked that holds all the others too

_CONDITIONS_ARE_ABOUT = ("id", "user_id", "status", "type", "base_model", "dataset_id", "experiment_id", "name", "tags")

_Columns = sa.ColumnCollection[str, Any]

_AGE = (training_jobs.c.created_at, training_jobs.c.id)
_BESTS = {
    JobOrder.BEST_LOSS: training_jobs.c.best_loss,
    JobOrder.BEST_VAL_LOSS: training_jobs.c.best_val_loss,
}


def count_jobs(connection: sa.Connection, wanted: JobFilter) -> int:
    """All, and the few deleted ones taken away: an index that is narrow enough to count by does not know which are."""
    return connection.scalar(_counting(wanted)) or 0


def select_jobs(
    connection: sa.Connection, wanted: JobFilter, *, total: int, page: int, page_size: int
) -> tuple[Job, ...]:
    """One page of a list that has `total` jobs. Only the rows of that page are read in full."""
    if (page - 1) * page_size >= total:
        return ()
    rows = _page(wanted, are_few=total <= FEW, page=page, page_size=page_size)
    return tuple(job_from(row) for row in connection.execute(rows).mappings())


@lru_cache(_KEPT_STATEMENTS)
def _counting(wanted: JobFilter) -> sa.Select[tuple[int]]:
    everything = sa.select(sa.func.count()).select_from(training_jobs).where(*_conditions(wanted))
    asked_about = [training_jobs.c[name] for name in _CONDITIONS_ARE_ABOUT]
    gone = sa.select(*asked_about).where(training_jobs.c.deleted_at.is_not(None)).cte("gone")
    gone = gone.prefix_with("MATERIALIZED")
    deleted = sa.select(sa.func.count()).select_from(gone).where(*_conditions(wanted, gone.c))
    return sa.select(everything.scalar_subquery() - deleted.scalar_subquery())


@lru_cache(_KEPT_STATEMENTS)
def _page(wanted: JobFilter, *, are_few: bool, page: int, page_size: int) -> sa.Select[tuple[Any, ...]]:
    on_page = page_ids(wanted, are_few=are_few, page=page, page_size=page_size)
    return sa.select(training_jobs).where(training_jobs.c.id.in_(on_page)).order_by(*_order(training_jobs, wanted))


def page_ids(wanted: JobFilter, *, are_few: bool, page: int, page_size: int) -> sa.Select[tuple[str]]:
    listed = _gathered(wanted) if are_few else training_jobs
    conditions = () if are_few else _visible(wanted)
    found = sa.select(listed.c.id).where(*conditions).order_by(*_order(listed, wanted))
    return found.limit(page_size).offset((page - 1) * page_size)


def _gathered(wanted: JobFilter) -> sa.CTE:
    """All of the list, found by what they have in common: a planner that walks by age meets the few among the many."""
    return sa.select(*_keys(wanted)).where(*_visible(wanted)).cte("gathered").prefix_with("MATERIALIZED")


def _order(listed: sa.FromClause, wanted: JobFilter) -> list[sa.ColumnElement[object]]:
    best = _BESTS.get(wanted.order)
    direction = sa.desc if wanted.order is JobOrder.NEWEST else sa.asc
    by_age = [direction(listed.c[key.name]) for key in _AGE]
    return by_age if best is None else [sa.asc(listed.c[best.name]).nulls_last(), *by_age]


def _keys(wanted: JobFilter) -> list[sa.ColumnElement[object]]:
    """The columns that a list is sorted by."""
    best = _BESTS.get(wanted.order)
    return [*_AGE] if best is None else [best, *_AGE]


def _visible(wanted: JobFilter) -> list[sa.ColumnElement[bool]]:
    return [*_conditions(wanted), training_jobs.c.id.not_in(DELETED)]


def _conditions(wanted: JobFilter, columns: _Columns = training_jobs.c) -> list[sa.ColumnElement[bool]]:
    exact = {
        columns.user_id: wanted.user_id,
        columns.type: wanted.type,
        columns.base_model: wanted.base_model,
        columns.dataset_id: wanted.dataset_id,
        columns.experiment_id: wanted.experiment_id,
    }
    conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in exact.items() if value is not None]
    if wanted.ids:
        conditions.append(columns.id.in_(wanted.ids))
    if wanted.statuses:
        conditions.append(columns.status.in_(wanted.statuses))
    if wanted.text:
        conditions.append(columns.name.icontains(wanted.text, autoescape=True))
    if wanted.tag:
        conditions.append(holds(columns.tags, sa.literal(wanted.tag)))
    return conditions
