"""The database connection: one transaction at a time, on either dialect, and the one seam for database errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, NamedTuple

import sqlalchemy as sa

from orchestrator.adapters.sql.postgres import lock_schema, postgres_engine
from orchestrator.adapters.sql.sqlite import BEGIN, WriteTurn, impatient_engine, sqlite_engine
from orchestrator.at_once import must_be_at_once, needs_time
from orchestrator.domain.errors import Rejected, StoreUnavailable


class _Readers(NamedTuple):
    in_transaction: sa.Engine
    one_statement: sa.Engine

    @classmethod
    def of(cls, engine: sa.Engine) -> _Readers:
        alone = {BEGIN: ""} if _is_sqlite(engine) else {"isolation_level": "AUTOCOMMIT"}
        return cls(engine.execution_options(**{BEGIN: "DEFERRED"}), engine.execution_options(**alone))


class Database:
    """One engine. `read` and `write` are one transaction each; every error of a database that is away is translated.

    What a database refuses (a constraint, a value) is not translated: a store knows which one it provokes, and any
    other is a bug.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        turn: AbstractContextManager[None] | None = None,
        impatient: sa.Engine | None = None,
    ) -> None:
        """`turn` is taken for the time of each write, by everything of this process that writes there; `impatient` is
        for what must be read at once, and without it nothing can be."""
        self.engine = engine
        self.turn = turn or nullcontext()
        self._patient = _Readers.of(engine)
        self._impatient = _Readers.of(impatient) if impatient is not None else None

    @property
    def is_sqlite(self) -> bool:
        return _is_sqlite(self.engine)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with translated(), self._readers().in_transaction.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[sa.Connection]:
        """For one statement that reads, which needs no transaction around it: a BEGIN and a COMMIT less."""
        with translated(), self._readers().one_statement.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        needs_time()
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
        if self._impatient is not None:
            self._impatient.in_transaction.dispose()

    def _readers(self) -> _Readers:
        if self._impatient is not None and must_be_at_once():
            return self._impatient
        needs_time()
        return self._patient


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
            return Database(sqlite_engine(parsed), turn=WriteTurn(), impatient=impatient_engine(parsed))
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


def _is_sqlite(engine: sa.Engine) -> bool:
    return engine.dialect.name == "sqlite"


def _refused(why: str) -> Rejected:
    message = f"LORRY_DATABASE_URL {why}. Use sqlite:////path/to/lorry.db or postgresql://user:password@host/database."
    return Rejected(message, code="DATABASE_URL_REFUSED")


def _enforce_foreign_keys(connection: sa.Connection, switch: str | Literal[False]) -> None:
    """Behind SQLAlchemy's back: the switch does nothing inside a transaction, and each of its statements begins one."""
    if switch:
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={switch}")
        cursor.close()
