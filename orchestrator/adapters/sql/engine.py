"""The database connection: transactions that cannot deadlock on SQLite, and the one seam for database errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import event

from orchestrator.domain.errors import StoreUnavailable

BUSY_TIMEOUT_MS = 10_000
_BEGIN = "lorry_begin"


class Database:
    """One engine. `read` and `write` are one transaction each and translate every database error."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._reading = engine.execution_options(**{_BEGIN: "DEFERRED"})

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with _translated(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def schema_change(self) -> Iterator[sa.Connection]:
        """A write during which a table may be made anew.

        SQLite changes a table by copying it and dropping the old one; with foreign keys enforced, the drop would
        delete every row that refers to it.
        """
        with _translated(), self.engine.connect() as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            _enforce_foreign_keys(connection, is_sqlite and "OFF")
            try:
                with connection.begin():
                    yield connection
            finally:
                _enforce_foreign_keys(connection, is_sqlite and "ON")

    def close(self) -> None:
        self.engine.dispose()


def connect(url: str) -> Database:
    """A database at a SQLAlchemy URL; nothing is opened until the first transaction."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(parsed))
    return Database(sa.create_engine(parsed, pool_pre_ping=True))


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _configure(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        # The driver's own BEGIN is deferred: two writers that both read first would die at once with
        # "database is locked" whatever the timeout (notes on reliability, T6). We begin ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an accepted job survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(_BEGIN, 'IMMEDIATE')}")

    return engine


def _enforce_foreign_keys(connection: sa.Connection, switch: str | Literal[False]) -> None:
    """Behind SQLAlchemy's back: the switch does nothing inside a transaction, and each of its statements begins one."""
    if switch:
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={switch}")
        cursor.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise StoreUnavailable(f"The job store did not answer: {type(error.__cause__ or error).__name__}.") from error
