"""Time spans and days in SQL, which each dialect says in its own words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class seconds_between(FunctionElement[float]):  # noqa: N801 - it is written like a function
    """(earlier, later): the seconds from one instant to another."""

    type = sa.Float()
    inherit_cache = True


class day_of(FunctionElement[str]):  # noqa: N801
    """(instant): its day in UTC, as YYYY-MM-DD."""

    type = sa.Text()
    inherit_cache = True


@compiles(seconds_between, "sqlite")
def _seconds_between_on_sqlite(element: seconds_between, compiler: SQLCompiler, **options: Any) -> str:
    earlier, later = (compiler.process(clause, **options) for clause in element.clauses)
    return f"((julianday({later}) - julianday({earlier})) * 86400.0)"


@compiles(seconds_between, "postgresql")
def _seconds_between_on_postgres(element: seconds_between, compiler: SQLCompiler, **options: Any) -> str:
    earlier, later = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM {later} - {earlier}) AS DOUBLE PRECISION)"


@compiles(day_of, "sqlite")
def _day_of_on_sqlite(element: day_of, compiler: SQLCompiler, **options: Any) -> str:
    (instant,) = (compiler.process(clause, **options) for clause in element.clauses)
    return f"date({instant})"


@compiles(day_of, "postgresql")
def _day_of_on_postgres(element: day_of, compiler: SQLCompiler, **options: Any) -> str:
    (instant,) = (compiler.process(clause, **options) for clause in element.clauses)
    return f"to_char({instant} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
