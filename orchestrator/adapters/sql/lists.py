"""Lists that stand in one column, which each dialect looks into in its own words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class holds(FunctionElement[bool]):  # noqa: N801 - it is written like a function
    """(list, text): whether the text is one of the list's, letter by letter."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(holds, "sqlite")
def _holds_on_sqlite(element: holds, compiler: SQLCompiler, **options: Any) -> str:
    listed, text = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({listed}) WHERE value = {text})"  # noqa: S608 - no value, but its place


@compiles(holds, "postgresql")
def _holds_on_postgres(element: holds, compiler: SQLCompiler, **options: Any) -> str:
    listed, text = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({listed} ? {text})"
