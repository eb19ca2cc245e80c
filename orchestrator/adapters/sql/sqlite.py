"""SQLite as a server's store: transactions that cannot deadlock, and a commit that survives a power cut."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import event

BUSY_TIMEOUT_SECONDS = 10.0
BEGIN = "lorry_begin"  # the execution option that says how a transaction begins


def sqlite_engine(url: sa.URL) -> sa.Engine:
    """`?timeout=<seconds>` in the URL is how long a write waits for another process's."""
    timeout = {} if "timeout" in url.query else {"timeout": BUSY_TIMEOUT_SECONDS}
    engine = sa.create_engine(url, connect_args=timeout, hide_parameters=True)  # values are users'

    @event.listens_for(engine, "connect")
    def _configure(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        # The driver's own BEGIN is deferred: two writers that both read first would die at once with
        # "database is locked" whatever the timeout. We begin ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an accepted job survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(BEGIN, 'IMMEDIATE')}")

    return engine
