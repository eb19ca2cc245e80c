"""Wake-ups between the processes of one store: NOTIFY where jobs are submitted, LISTEN where an orchestrator waits."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
import sqlalchemy as sa
import structlog
from psycopg import sql

from orchestrator.adapters.sql.engine import Database, translated
from orchestrator.adapters.sql.postgres import own_connection
from orchestrator.domain.back_off import BackOff
from orchestrator.domain.errors import Rejected, StoreUnavailable
from orchestrator.ports.wake_up import WakeUp

log = structlog.get_logger()

# One for each store of a database; so long a name is still an identifier.
_CHANNEL = "left('lorry_' || current_schema(), 63)"
_SEND = f"SELECT pg_notify({_CHANNEL}, '')"
_PROOF_SECONDS = 5.0
_LOOK_SECONDS = 0.5  # how soon a listener notices that it shall stop
_BACK_OFF = BackOff(first_seconds=1.0, longest_seconds=30.0)

_DEAF = (
    "LORRY_DATABASE_URL leads through a pooler of transactions: notifications do not arrive there, and a session's"
    " locks would be everybody's. Use the pooler's session mode (Supabase: the same host, port 5432) or the database"
    " itself."
)


class SqlWakeUp:
    """`here` is this process's own; on Postgres every other process over the store is woken as well.

    While entered, a thread listens for what others send. A notification that is lost costs the time until a poll.
    """

    def __init__(self, database: Database, here: WakeUp) -> None:
        self._database = database
        self._here = here
        self._failures = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="store-wake-up", daemon=True)

    def notify(self) -> None:
        self._here.notify()
        if self._database.is_sqlite:
            return
        try:
            with translated(), self._database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text(_SEND))
        except StoreUnavailable as error:
            log.info("nobody was woken, polling goes on", error=error.message)

    def wait(self, timeout_seconds: float) -> bool:
        return self._here.wait(timeout_seconds)

    def __enter__(self) -> Self:
        if not self._database.is_sqlite:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * _LOOK_SECONDS)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                with _listening(self._database) as listener:
                    self._failures = 0
                    self._here.notify()  # for what was sent while nobody listened
                    while not self._stopping.is_set():
                        for _ in listener.notifies(timeout=_LOOK_SECONDS):
                            self._here.notify()
            except (StoreUnavailable, Rejected, psycopg.Error) as error:
                self._note_failure(error)
            jitter = random.random()  # noqa: S311 - only spreads load
            self._stopping.wait(_BACK_OFF.spread_seconds(self._failures, jitter))

    def _note_failure(self, error: Exception) -> None:
        if self._failures == 0:
            log.warning("wake-ups of other processes do not arrive, polling goes on", error=str(error))
        self._failures += 1


def require_sessions(database: Database) -> None:
    """Raises Rejected (DATABASE_URL_REFUSED) when a pooler hands each transaction to any session there is.

    Shown by what such a pooler cannot do, not by its address: a notification is sent and must arrive.
    """
    if not database.is_sqlite:
        with _listening(database):
            pass


@contextmanager
def _listening(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection that is proved to hear this store's notifications. Raises StoreUnavailable, Rejected."""
    with _connected(database) as listener:
        (channel,) = listener.execute(f"SELECT {_CHANNEL}").fetchone() or ("",)
        listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        with _connected(database) as sender:
            sender.execute(_SEND)
        if not any(listener.notifies(timeout=_PROOF_SECONDS, stop_after=1)):
            listener.execute("UNLISTEN *")
            raise Rejected(_DEAF, code="DATABASE_URL_REFUSED")
        yield listener


@contextmanager
def _connected(database: Database) -> Iterator[psycopg.Connection[Any]]:
    try:
        connection = own_connection(database.engine)
    except psycopg.Error as error:
        raise StoreUnavailable(f"The job store did not answer: {type(error).__name__}.") from error
    with connection:
        yield connection
