"""Reading a job's metrics: all of them, or those that a curve of so many points needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from orchestrator.adapters.sql.rows import metric_from
from orchestrator.adapters.sql.tables import training_metrics
from orchestrator.domain.curves import Curve, Point, thinned

_ROWS_AT_A_TIME = 10_000
_MOST_PARAMETERS = 1_000  # in one statement; databases have limits


def read_curve(connection: sa.Connection, job_id: str, *, attempt: int | None, points: int) -> Curve:
    """Two looks at a long series: a narrow one that says which rows are needed, and one that reads them."""
    metric = training_metrics.c
    wanted = metric.run_id == job_id if attempt is None else (metric.run_id == job_id) & (metric.attempt == attempt)
    count, validated = connection.execute(
        sa.select(sa.func.count(), sa.func.count(metric.val_loss)).where(wanted)
    ).one()
    if count <= points:
        rows = connection.execute(_in_order(sa.select(training_metrics), wanted)).mappings()
        found = [metric_from(row) for row in rows]
        return Curve(found, len(found))
    steps: dict[int, list[int]] = defaultdict(list)
    for point in thinned(_points(connection, wanted), count=count, validated=validated, wanted=points):
        steps[point.attempt].append(point.step)
    kept = [
        metric_from(row)
        for number, kept_steps in steps.items()
        for first in range(0, len(kept_steps), _MOST_PARAMETERS)
        for row in _rows(connection, wanted, number, kept_steps[first : first + _MOST_PARAMETERS])
    ]
    return Curve(kept, count)


def _points(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> Iterator[Point]:
    metric = training_metrics.c
    columns = sa.select(metric.attempt, metric.step, metric.loss, metric.val_loss.is_not(None).label("is_validated"))
    narrow = _in_order(columns, wanted).execution_options(yield_per=_ROWS_AT_A_TIME)
    return map(Point._make, connection.execute(narrow))


def _rows(
    connection: sa.Connection, wanted: sa.ColumnElement[bool], attempt: int, steps: list[int]
) -> Sequence[sa.RowMapping]:
    metric = training_metrics.c
    query = _in_order(sa.select(training_metrics), wanted).where(metric.attempt == attempt, metric.step.in_(steps))
    return connection.execute(query).mappings().all()


def _in_order(query: sa.Select[tuple[object, ...]], wanted: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    return query.where(wanted).order_by(training_metrics.c.attempt, training_metrics.c.step)
