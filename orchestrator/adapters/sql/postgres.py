"""Postgres as a server's store: no call waits for ever, whatever becomes of the server or of the network."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event

from orchestrator.domain.errors import Rejected

CONNECT_TIMEOUT_SECONDS = 5
POOL_TIMEOUT_SECONDS = 10
RECYCLE_SECONDS = 1_800
# Where pools of transactions listen: a session's lock taken there would belong to everybody.
TRANSACTION_POOLER_PORT = 6543

# The server's half of the same promise: it cancels what takes too long, and notices a client that is gone.
_SESSION = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# What is Lorry's own has a schema of its own, so that no Data API shows it: `lorry_public` beside `public`.
SEARCH_PATH = (
    "set_config('search_path', current_setting('search_path') || ', ' || "
    "quote_ident('lorry_' || current_schema()), {is_local})"
)
_CONNECT = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
    "application_name": "lorry",
}


def postgres_engine(url: sa.URL) -> sa.Engine:
    """`postgresql://` and `postgres://` alike. Raises Rejected for a transaction pooler's port."""
    if url.port == TRANSACTION_POOLER_PORT:
        message = (
            f"LORRY_DATABASE_URL names port {TRANSACTION_POOLER_PORT}, a pooler of transactions: it keeps no session's"
            f" locks. Use its session mode: {url.set(port=5432).render_as_string(hide_password=True)}"
        )
        raise Rejected(message, code="DATABASE_URL_REFUSED")
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=_arguments(url),
        pool_pre_ping=True,
        pool_recycle=RECYCLE_SECONDS,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,  # values are users'
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        # Said after connecting, not among the connection's options: poolers refuse options that they do not know.
        cursor = connection.cursor()
        settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in _SESSION.items())
        cursor.execute(f"SELECT {settings}, {SEARCH_PATH.format(is_local='false')}")
        cursor.close()
        connection.commit()

    return engine


def own_connection(engine: sa.Engine) -> psycopg.Connection[Any]:
    """Not from a pool and with the server's own settings: behind a pooler of transactions they would not stay ours."""
    _, address = engine.dialect.create_connect_args(engine.url)
    return psycopg.connect(**{**address, **_arguments(engine.url)}, autocommit=True)


def _arguments(url: sa.URL) -> dict[str, Any]:
    return {name: value for name, value in _CONNECT.items() if name not in url.query}


def lock_schema(connection: sa.Connection) -> None:
    """Until the transaction ends, no other process changes this schema; filled tables may take their time."""
    connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
    connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(*lock_key("migrations"))))


def lock_key(what: str) -> tuple[sa.Function[Any], sa.Function[Any]]:
    """The two halves of an advisory lock's number: what is locked, and in which schema of this database."""
    return sa.func.hashtext(f"lorry {what}"), sa.func.hashtext(sa.func.current_schema())
