"""The database connection: one transaction at a time, on either dialect, and the one seam for database errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import sqlalchemy as sa

from orchestrator.adapters.sql.postgres import lock_schema, postgres_engine
from orchestrator.adapters.sql.sqlite import BEGIN, WriteTurn, sqlite_engine
from orchestrator.domain.errors import Rejected, StoreUnavailable


class Database:
    """One engine. `read` and `write` are one transaction each; every error of a database that is away is translated.

    What a database refuses (a constraint, a value) is not translated: a store knows which one it provokes, and any
    other is a bug.
    """

    def __init__(self, engine: sa.Engine, *, turn: AbstractContextManager[None] | None = None) -> None:
        """`turn` is taken for the time of each write, by everything of this process that writes there."""
        self.engine = engine
        self.turn = turn or nullcontext()
        self._reading = engine.execution_options(**{BEGIN: "DEFERRED"})
        alone = {BEGIN: ""} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._looking = engine.execution_options(**alone)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with translated(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[sa.Connection]:
        """For one statement that reads, which needs no transaction around it: a BEGIN and a COMMIT less."""
        with translated(), self._looking.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with self.turn, translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def schema_change(self) -> Iterator[sa.Connection]:
        """A write during which a table may be made anew, one at a time.

        SQLite changes a table by copying it and dropping the old one; with foreign keys enforced, the drop would
        delete every row that refers to it.
        """
        with translated(), self.engine.connect() as connection:
            _enforce_foreign_keys(connection, self.is_sqlite and "OFF")
            try:
                with connection.begin():
                    if not self.is_sqlite:
                        lock_schema(connection)
                    yield connection
            finally:
                _enforce_foreign_keys(connection, self.is_sqlite and "ON")

    def close(self) -> None:
        self.engine.dispose()


def connect(url: str) -> Database:
    """A database at a SQLAlchemy URL; nothing is opened until the first transaction.

    Raises Rejected (DATABASE_URL_REFUSED) for a URL that no store can be kept behind.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise _refused("is not a database URL") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database in (None, "", ":memory:"):
            raise _refused("names no file")
        case "sqlite":
            return Database(sqlite_engine(parsed), turn=WriteTurn())
        case "postgresql" | "postgres":
            return Database(postgres_engine(parsed))
        case other:
            raise _refused(f"names {other}, which is not supported")


def violates(error: sa.exc.IntegrityError, unique: sa.Index | sa.PrimaryKeyConstraint | sa.UniqueConstraint) -> bool:
    """Whether it was this unique constraint that refused the row: Postgres says its name, SQLite its columns."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if name is not None:
        return bool(name == unique.name)
    columns = ", ".join(f"{column.table.name}.{column.name}" for column in unique.columns)
    return str(error.orig) == f"UNIQUE constraint failed: {columns}"


@contextmanager
def translated() -> Iterator[None]:
    """Whatever a driver raises when its database is away, busy, shutting down, full or without our tables."""
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.DataError):
        raise
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        raise StoreUnavailable(f"The job store did not answer: {type(error.__cause__ or error).__name__}.") from error


def _refused(why: str) -> Rejected:
    message = f"LORRY_DATABASE_URL {why}. Use sqlite:////path/to/lorry.db or postgresql://user:password@host/database."
    return Rejected(message, code="DATABASE_URL_REFUSED")


def _enforce_foreign_keys(connection: sa.Connection, switch: str | Literal[False]) -> None:
    """Behind SQLAlchemy's back: the switch does nothing inside a transaction, and each of its statements begins one."""
    if switch:
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={switch}")
        cursor.close()
