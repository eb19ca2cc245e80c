"""Reading a job's metrics: all of them, or those that a curve of so many points needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from orchestrator.adapters.sql.rows import metric_from
from orchestrator.adapters.sql.tables import training_metrics
from orchestrator.domain.curves import Point, thinned
from orchestrator.domain.events import Metric

_ROWS_AT_A_TIME = 10_000
_MOST_PARAMETERS = 1_000  # in one statement; databases have limits


def read_metrics(connection: sa.Connection, job_id: str, *, points: int) -> Sequence[Metric]:
    """Two looks at a long series: a narrow one that says which rows are needed, and one that reads them."""
    metric = training_metrics.c
    of_job = metric.run_id == job_id
    count, validated = connection.execute(
        sa.select(sa.func.count(), sa.func.count(metric.val_loss)).where(of_job)
    ).one()
    if count <= points:
        return [
            metric_from(row) for row in connection.execute(_in_order(sa.select(training_metrics), of_job)).mappings()
        ]
    wanted: dict[int, list[int]] = defaultdict(list)
    for point in thinned(_points(connection, of_job), count=count, validated=validated, wanted=points):
        wanted[point.attempt].append(point.step)
    return [
        metric_from(row)
        for attempt, steps in wanted.items()
        for first in range(0, len(steps), _MOST_PARAMETERS)
        for row in _rows(connection, of_job, attempt, steps[first : first + _MOST_PARAMETERS])
    ]


def _points(connection: sa.Connection, of_job: sa.ColumnElement[bool]) -> Iterator[Point]:
    metric = training_metrics.c
    columns = sa.select(metric.attempt, metric.step, metric.loss, metric.val_loss.is_not(None).label("is_validated"))
    narrow = _in_order(columns, of_job).execution_options(yield_per=_ROWS_AT_A_TIME)
    return map(Point._make, connection.execute(narrow))


def _rows(
    connection: sa.Connection, of_job: sa.ColumnElement[bool], attempt: int, steps: list[int]
) -> Sequence[sa.RowMapping]:
    metric = training_metrics.c
    query = _in_order(sa.select(training_metrics), of_job).where(metric.attempt == attempt, metric.step.in_(steps))
    return connection.execute(query).mappings().all()


def _in_order(query: sa.Select[tuple[object, ...]], of_job: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    return query.where(of_job).order_by(training_metrics.c.attempt, training_metrics.c.step)
