"""SQLite as a server's store: transactions that cannot deadlock, and a commit that survives a power cut."""

from __future__ import annotations

import sqlite3
import threading
import time

import sqlalchemy as sa
from sqlalchemy import event

from orchestrator.domain.errors import StoreUnavailable

BUSY_TIMEOUT_SECONDS = 10.0
_LOCKED_PAUSE_SECONDS = 0.02
# What is opened beyond them is closed after one transaction, and opening costs more than most transactions.
_KEPT_CONNECTIONS = 20
# What an impatient transaction may take, in instructions of SQLite's machine: some hundreds of rows, of which Python
# then makes objects for a few milliseconds.
_INSTRUCTIONS_AT_A_TIME = 1_000
_MOST_TIMES = 10
BEGIN = "lorry_begin"  # the execution option that says how a transaction begins; "": no statement begins one


class WriteTurn:
    """One write of this process at a time.

    SQLite has a busy database tried again after ever longer pauses, so that whoever comes last may come first and a
    write may wait for a second behind ones that take milliseconds. Here the next goes on the moment that one is done,
    and whoever waits holds no connection, which reads need. The lock of the database itself is for other processes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise StoreUnavailable("The job store did not answer: writes before this one have not ended.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def sqlite_engine(url: sa.URL) -> sa.Engine:
    """`?timeout=<seconds>` in the URL is how long a write waits for another process's."""
    timeout_seconds = float(str(url.query.get("timeout", BUSY_TIMEOUT_SECONDS)))
    return _engine(url, timeout_seconds, pool_size=_KEPT_CONNECTIONS)


def impatient_engine(url: sa.URL) -> sa.Engine:
    """For one thread, which waits for no lock; a transaction that takes long is interrupted."""
    engine = _engine(url.difference_update_query(["timeout"]), 0, pool_size=1, max_overflow=0, pool_timeout=0)
    allowance = _Allowance()

    @event.listens_for(engine, "connect")
    def _watch(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_progress_handler(allowance.take, _INSTRUCTIONS_AT_A_TIME)

    @event.listens_for(engine, "checkout")
    def _begin(*_: object) -> None:
        allowance.renew()

    return engine


class _Allowance:
    """SQLite itself counts on from one run of a statement to the next."""

    def __init__(self) -> None:
        self._taken = 0

    def renew(self) -> None:
        self._taken = 0

    def take(self) -> bool:
        """Whether there was too little left."""
        self._taken += 1
        return self._taken > _MOST_TIMES


def _engine(url: sa.URL, timeout_seconds: float, **pool: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args={"timeout": timeout_seconds},
        hide_parameters=True,  # values are users'
        **pool,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        # The driver's own BEGIN is deferred: two writers that both read first would die at once with
        # "database is locked" whatever the timeout. We begin ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        _write_ahead(cursor, within_seconds=timeout_seconds)
        cursor.execute("PRAGMA synchronous=FULL")  # an accepted job survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        how = connection.get_execution_options().get(BEGIN, "IMMEDIATE")
        if how:
            connection.exec_driver_sql(f"BEGIN {how}")

    return engine


def _write_ahead(cursor: sa.engine.interfaces.DBAPICursor, *, within_seconds: float) -> None:
    """Switch a new file to write-ahead logging. SQLite's own timeout does not hold for this one lock."""
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_LOCKED_PAUSE_SECONDS)
        else:
            return
