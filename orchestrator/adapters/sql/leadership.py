"""Leadership over the store's own database: a lock that dies with its process, and a term that fences writes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import sqlalchemy as sa
from filelock import FileLock, Timeout

from orchestrator.adapters.sql.engine import Database, translated
from orchestrator.adapters.sql.postgres import lock_key
from orchestrator.adapters.sql.tables import leadership
from orchestrator.domain.errors import Deposed, StoreUnavailable
from orchestrator.ports.leadership import Term


class _Lock(Protocol):
    """Held by one process at a time; the operating system frees it when that process dies."""

    def take(self) -> bool: ...

    def is_held(self) -> bool: ...

    def free(self) -> None: ...


class SqlLeadership:
    """One for each process and store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = _lock_of(database)
        self._number = 0

    @property
    def number(self) -> int:
        return self._number

    def acquire(self) -> bool:
        if not self._lock.take():
            return False
        try:
            self._number = self._begin_term()
        except BaseException:
            self.release()
            raise
        return True

    def confirm(self) -> None:
        if not self._number or not self._lock.is_held():
            raise Deposed("This process lost the lock that makes it the orchestrator.")

    def release(self) -> None:
        self._number = 0
        self._lock.free()

    def latest(self) -> Term | None:
        with self._database.look() as connection:
            row = connection.execute(sa.select(leadership)).mappings().one_or_none()
        return Term(row["term"], row["holder"], row["acquired_at"]) if row is not None else None

    def _begin_term(self) -> int:
        holder = f"{socket.gethostname()} (pid {os.getpid()})"
        facts = {"holder": holder, "acquired_at": sa.func.current_timestamp()}
        with self._database.write() as connection:
            following = leadership.update().values(term=leadership.c.term + 1, **facts)
            if not connection.execute(following).rowcount:
                connection.execute(leadership.insert().values(id=1, term=1, **facts))
            return int(connection.scalars(sa.select(leadership.c.term)).one())


class FencedDatabase(Database):
    """A database whose writes are made in one term, and refused with Deposed once a later one has begun.

    The check is part of the write's own transaction: the row is locked until that ends, so a term cannot change
    between the check and the commit.
    """

    def __init__(self, database: Database, term: Callable[[], int]) -> None:
        super().__init__(database.engine, turn=database.turn)
        self._term = term

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with super().write() as connection:
            stored = connection.scalar(sa.select(leadership.c.term).with_for_update(read=True))
            if stored != self._term():
                raise Deposed(f"Term {self._term()} of this orchestrator is over: the store is at term {stored}.")
            yield connection


class _FileLock:
    """Beside the database file. The kernel frees it with the process, whatever ends that."""

    def __init__(self, path: str) -> None:
        self._lock = FileLock(path, timeout=0, thread_local=False)

    def take(self) -> bool:
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise StoreUnavailable(f"Could not lock {self._lock.lock_file}: {error.strerror}.") from error
        return True

    def is_held(self) -> bool:
        return self._lock.is_locked

    def free(self) -> None:
        self._lock.release(force=True)


class _SessionLock:
    """An advisory lock on a connection of its own: the server frees it when that connection ends."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._session: sa.Connection | None = None

    def take(self) -> bool:
        """The connection stays open while another process leads: asking again costs one round trip."""
        try:
            with translated():
                return bool(self._open().scalar(sa.select(sa.func.pg_try_advisory_lock(*lock_key("leadership")))))
        except StoreUnavailable:
            self.free()
            raise

    def is_held(self) -> bool:
        """Asked of the server, because a connection that broke does not say so by itself."""
        if self._session is None:
            return False
        ours = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
        try:
            return bool(self._session.scalar(sa.text(ours)))
        except sa.exc.DBAPIError:
            return False

    def free(self) -> None:
        if self._session is not None:
            # The server learns of a closed connection some time later: until then nobody else could lead.
            with suppress(sa.exc.SQLAlchemyError):
                self._session.execute(sa.select(sa.func.pg_advisory_unlock_all()))
            self._session.close()
            self._session = None

    def _open(self) -> sa.Connection:
        if self._session is None:
            self._session = self._engine.connect()
            self._session.detach()  # from the pool, which would hand a lock that is still held to somebody else
        return self._session


def _lock_of(database: Database) -> _Lock:
    if database.is_sqlite:
        return _FileLock(f"{database.engine.url.database}.lock")
    return _SessionLock(database.engine)
