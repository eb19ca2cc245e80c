"""One look at the store for every stream of this process.

No queue leads to a stream. Its bell rings when a job of its changed, and it then reads on from its own place; what one
of them read, all others at that place are given too. A slow client has its place far behind, and nothing in memory.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec, TypeVar

import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from fastapi.sse import format_sse_event

from api.schemas.streams import shown
from orchestrator.domain.errors import PortError
from orchestrator.domain.streaming import Cursor, UserCursor
from orchestrator.ports.news_store import Pulse, Revocations
from orchestrator.services.streams import Streams
from orchestrator.stop_flag import StopFlag

LOOK_SECONDS = 0.1
# No transaction of ours takes so long: behind an event of that age, no older one appears.
SETTLING_SECONDS = 30.0
# Streams neither wait for the threads of the other routes, nor do these wait for theirs.
_READING_THREADS = 4

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger("lorry.streams")


class Line(NamedTuple):
    """An event without its id, which depends on the stream it is sent on."""

    name: str
    data: str
    cursor: Cursor

    def encoded(self, at: Cursor | UserCursor) -> bytes:
        return format_sse_event(data_str=self.data, event=self.name, id=str(at))


@dataclass(frozen=True, slots=True)
class Lines:
    """What came behind a place in a job."""

    lines: tuple[Line, ...]
    cursor: Cursor
    is_all: bool
    is_open: bool  # whether the job has not ended


class Bell:
    """Rings when a job changed: this one, or one of this user's."""

    def __init__(self, *, job_id: str | None = None, user_id: str | None = None) -> None:
        self.job_id = job_id
        self.user_id = user_id
        self.is_revoked = False  # the tokens of whoever listens
        self._changed: set[str] = set()
        self._rung = asyncio.Event()

    def ring(self, job_id: str | None = None) -> None:
        """Without a job, only to be noticed."""
        if job_id is not None:
            self._changed.add(job_id)
        self._rung.set()

    def revoke(self) -> None:
        self.is_revoked = True
        self.ring()

    def take_changed(self) -> set[str]:
        """The jobs that changed since this was asked last; the bell is silent from now on."""
        changed, self._changed = self._changed, set()
        self._rung.clear()
        return changed

    async def wait(self, seconds: float) -> bool:
        """Whether it rang in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True


class FanOut:
    """Belongs to one event loop, in which one task looks at the store as long as there are bells."""

    def __init__(self, streams: Streams, stopping: StopFlag) -> None:
        self._streams = streams
        self._stopping = stopping
        self._bells: dict[Bell, str] = {}
        self._audited: int | None = None  # the last entry of the audit log that a look has seen
        self._pulses: dict[str, Pulse] = {}
        self._reads: dict[str, tuple[Cursor, asyncio.Task[Lines]]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._settling = Settling()
        self._is_store_away = False

    @property
    def is_over(self) -> bool:
        """Whether no bell will ring any more: the server was told to stop."""
        return self._stopping.is_set() or self._watching is None or self._watching.done()

    @property
    def settled(self) -> int:
        """An event so old that no older one appears any more, as of the last look."""
        return self._settling.settled

    @contextmanager
    def watch(self, bell: Bell, listener: str) -> Iterator[None]:
        """`listener` is the user whose token it was opened with."""
        if self._watching is None or self._watching.done():
            self._limiter = CapacityLimiter(_READING_THREADS)
            self._settling = Settling()
            self._audited = None
            self._watching = asyncio.create_task(self._watch())
        self._bells[bell] = listener
        try:
            yield
        finally:
            del self._bells[bell]

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the store, in one of the threads that all streams share. Raises what the question raises."""
        return await anyio.to_thread.run_sync(
            lambda: question(*args, **kwargs), abandon_on_cancel=True, limiter=self._limiter
        )

    async def settle(self) -> None:
        """Know a settled event. Raises PortError."""
        if not self._settling.is_known:
            self._settling.note(await self.ask(self._streams.newest_event))

    async def read(self, job_id: str, after: Cursor) -> Lines:
        """What came behind `after`; the store is asked once for all who are there. Raises NotFound, PortError."""
        kept = self._reads.get(job_id)
        if kept is None or kept[0] != after:
            kept = after, asyncio.create_task(self.ask(self._lines, job_id, after))
            self._reads[job_id] = kept
        try:
            return await asyncio.shield(kept[1])
        except Exception:
            if self._reads.get(job_id) is kept:  # who asks next may have more luck
                del self._reads[job_id]
            raise

    def _lines(self, job_id: str, after: Cursor) -> Lines:
        news = self._streams.news(job_id, after)
        named = ((*shown(each.piece), each.cursor) for each in news.told)
        lines = tuple(Line(name, data.model_dump_json(), cursor) for name, data, cursor in named)
        return Lines(lines, news.cursor, is_all=news.is_all, is_open=news.is_open)

    async def _watch(self) -> None:
        """A look that takes long delays neither the next second nor the end."""
        looking: asyncio.Task[None] | None = None
        try:
            while self._bells and not self._stopping.is_set():
                if looking is None or looking.done():
                    looking = asyncio.create_task(self._look())
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            if looking is not None:
                looking.cancel()
            self._reads.clear()
            for bell in self._bells:
                bell.ring()

    async def _look(self) -> None:
        """Ring where something changed."""
        job_ids = {bell.job_id for bell in self._bells if bell.job_id is not None}
        user_ids = {bell.user_id for bell in self._bells if bell.user_id is not None}
        try:
            await self.settle()
            newest, pulses, revocations = await self.ask(self._seen, job_ids, user_ids, self.settled)
        except PortError as error:
            self._note_away(error)
            return
        self._is_store_away = False
        self._settling.note(newest)
        self._revoke(revocations)
        changed = {job_id for job_id, pulse in pulses.items() if self._pulses.get(job_id) != pulse}
        changed |= (self._pulses.keys() | job_ids) - pulses.keys()  # deleted, unless nobody asks any more
        users = {job_id: pulse.user_id for job_id, pulse in (self._pulses | pulses).items()}
        self._reads = {job_id: kept for job_id, kept in self._reads.items() if job_id in pulses.keys() - changed}
        self._pulses = pulses
        self._ring(changed, users)

    def _seen(
        self, job_ids: set[str], user_ids: set[str], after_event: int
    ) -> tuple[int, dict[str, Pulse], Revocations]:
        newest = self._streams.newest_event()
        pulses = self._streams.pulses(job_ids=job_ids, user_ids=user_ids, after_event=after_event)
        return newest, dict(pulses), self._streams.revocations(self._audited)

    def _revoke(self, revocations: Revocations) -> None:
        self._audited = revocations.newest
        for bell, listener in self._bells.items():
            if listener in revocations.user_ids:
                bell.revoke()

    def _ring(self, changed: set[str], users: dict[str, str]) -> None:
        of_user: dict[str, list[str]] = {}
        for job_id in changed:
            if job_id in users:
                of_user.setdefault(users[job_id], []).append(job_id)
        for bell in self._bells:
            if bell.job_id in changed:
                bell.ring(bell.job_id)
            for job_id in of_user.get(bell.user_id or "", ()):
                bell.ring(job_id)

    def _note_away(self, error: PortError) -> None:
        if not self._is_store_away:
            log.warning("streams have no news while the store is away", error=error.message)
        self._is_store_away = True


class Settling:
    """Tells which events are old: the newest one of each look is, once SETTLING_SECONDS have gone by."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._looks: deque[tuple[float, int]] = deque()
        self.is_known = False
        self.settled = 0

    def note(self, newest: int) -> None:
        """The first one counts as settled: before it, nobody looked who could have missed one."""
        now = self._monotonic()
        if not self.is_known:
            self.is_known, self.settled = True, newest
        if not self._looks or self._looks[-1][1] != newest:
            self._looks.append((now, newest))
        while self._looks and now - self._looks[0][0] >= SETTLING_SECONDS:
            self.settled = max(self.settled, self._looks.popleft()[1])
