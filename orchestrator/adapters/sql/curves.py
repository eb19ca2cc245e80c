"""Reading a job's metrics: all of them, or those that a curve of so many points needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from orchestrator.adapters.sql.rows import metric_from
from orchestrator.adapters.sql.tables import training_metrics
from orchestrator.domain.curves import Curve, Point, thinned

_ROWS_AT_A_TIME = 10_000
_MOST_PARAMETERS = 1_000  # in one statement; databases have limits


_metric = training_metrics.c


class _Statements(NamedTuple):
    """Made once: making them takes longer than a short series does."""

    counting: sa.Select[int, int]
    rows: sa.Select[*tuple[Any, ...]]
    points: sa.Select[*tuple[Any, ...]]

    @classmethod
    def about(cls, wanted: sa.ColumnElement[bool]) -> _Statements:
        order = (_metric.attempt, _metric.step)
        is_validated = _metric.val_loss.is_not(None).label("is_validated")
        narrow = sa.select(_metric.attempt, _metric.step, _metric.loss, is_validated)
        return cls(
            sa.select(sa.func.count(), sa.func.count(_metric.val_loss)).where(wanted),
            sa.select(training_metrics).where(wanted).order_by(*order),
            narrow.where(wanted).order_by(*order).execution_options(yield_per=_ROWS_AT_A_TIME),
        )


_of_job = _metric.run_id == sa.bindparam("job_id")
_JOB = _Statements.about(_of_job)
_ATTEMPT = _Statements.about(_of_job & (_metric.attempt == sa.bindparam("attempt")))


def read_curve(connection: sa.Connection, job_id: str, *, attempt: int | None, points: int) -> Curve:
    """Two looks at a long series: a narrow one that says which rows are needed, and one that reads them."""
    statements = _JOB if attempt is None else _ATTEMPT
    asked = {"job_id": job_id} if attempt is None else {"job_id": job_id, "attempt": attempt}
    count, validated = connection.execute(statements.counting, asked).one()
    if count <= points:
        found = [metric_from(row) for row in connection.execute(statements.rows, asked).mappings()]
        return Curve(found, len(found))
    steps: dict[int, list[int]] = defaultdict(list)
    series = map(Point._make, connection.execute(statements.points, asked))
    for point in thinned(series, count=count, validated=validated, wanted=points):
        steps[point.attempt].append(point.step)
    kept = [
        metric_from(row)
        for number, kept_steps in steps.items()
        for first in range(0, len(kept_steps), _MOST_PARAMETERS)
        for row in _rows(connection, job_id, number, kept_steps[first : first + _MOST_PARAMETERS])
    ]
    return Curve(kept, count)


def _rows(connection: sa.Connection, job_id: str, attempt: int, steps: list[int]) -> Sequence[sa.RowMapping]:
    query = _ATTEMPT.rows.where(_metric.step.in_(steps))
    return connection.execute(query, {"job_id": job_id, "attempt": attempt}).mappings().all()
