"""Server-sent events: what goes over one connection from its first byte to its last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Protocol

import structlog
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.types import Send

from api.errors import RateLimited
from api.fan_out import Bell, FanOut, Line
from api.schemas.streams import ClosingNews
from orchestrator.domain.errors import NotFound, PortError
from orchestrator.domain.identity import Identity
from orchestrator.domain.streaming import Cursor, UserCursor
from orchestrator.services.streams import Streams

HEARTBEAT_SECONDS = 15.0
# How long a client may take to make room for what is sent to it.
SEND_SECONDS = 30.0
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STORE_RETRY_SECONDS = 1.0
_RECONNECT_MILLISECONDS = 2_000
_CHUNK_BYTES = 32 * 1024
_FULL_RETRY_SECONDS = 10

_STOPPING = ClosingNews(code="SERVER_STOPPING", message="The server stops. Connect again and go on from the last id.")
_EXPIRED = ClosingNews(code="TOKEN_EXPIRED", message="The token of this stream has expired. Connect with a new one.")
_REVOKED = ClosingNews(code="TOKEN_REVOKED", message="The tokens of this user were revoked. Ask for a new one.")
_DELETED = ClosingNews(code="JOB_NOT_FOUND", message="The job was deleted.")

log = structlog.get_logger("lorry.streams")


class TooManyStreams(RateLimited):
    code = "TOO_MANY_STREAMS"


class OpenStreams:
    """How many streams each user has open in this process."""

    def __init__(self, max_per_user: int) -> None:
        self._max_per_user = max_per_user
        self._counts: dict[str, int] = {}

    @contextmanager
    def counted(self, user_id: str) -> Iterator[None]:
        """Around a stream. Raises TooManyStreams."""
        count = self._counts.get(user_id, 0)
        if count >= self._max_per_user:
            message = f"You have {count} streams open, and more are not allowed. One stream can follow all your jobs."
            raise TooManyStreams(message, headers={"Retry-After": str(_FULL_RETRY_SECONDS)})
        self._counts[user_id] = count + 1
        try:
            yield
        finally:
            self._counts[user_id] -= 1
            if not self._counts[user_id]:
                del self._counts[user_id]


class EventStream(StreamingResponse):
    """Ends with its events, or when the client takes nothing for SEND_SECONDS.

    Not FastAPI's own response for them: that one is made by a route that yields, and could no longer answer 204.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], *, send_seconds: float = SEND_SECONDS) -> None:
        super().__init__(events, headers=HEADERS)
        self._send_seconds = send_seconds

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self.body_iterator) as events:  # type: ignore[type-var] # a generator of ours
            async for chunk in events:
                try:
                    async with asyncio.timeout(self._send_seconds):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                except TimeoutError:
                    log.info("a client that does not read is let go", seconds=self._send_seconds)
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Feed(Protocol):
    """Where the events of a stream come from."""

    bell: Bell
    is_over: bool  # nothing follows

    def news(self) -> AsyncIterator[bytes]:
        """Whatever there is to be told now. Raises PortError, and NotFound for a job that was deleted."""


async def events(
    fan_out: FanOut,
    feed: Feed,
    streams: Streams,
    identity: Identity,
    *,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> AsyncIterator[bytes]:
    """The whole of a stream, encoded: what is there, then what comes, with heartbeats in between."""
    with fan_out.watch(feed.bell, identity.user_id):
        yield format_sse_event(retry=_RECONNECT_MILLISECONDS)
        closing: ClosingNews | None = None
        while closing is None:
            pause = heartbeat_seconds
            try:
                async for chunk in feed.news():
                    yield chunk
            except PortError:
                pause = _STORE_RETRY_SECONDS
            except NotFound:
                closing = _DELETED
                continue
            if feed.is_over:
                return
            seconds_left = streams.seconds_left(identity)
            closing = _reason_to_close(fan_out, feed.bell, seconds_left)
            if closing is None and not await feed.bell.wait(min(pause, seconds_left)):
                yield KEEPALIVE_COMMENT
        yield format_sse_event(event="closing", data_str=closing.model_dump_json())


def _reason_to_close(fan_out: FanOut, bell: Bell, seconds_left: float) -> ClosingNews | None:
    if bell.is_revoked:
        return _REVOKED
    if seconds_left <= 0:
        return _EXPIRED
    return _STOPPING if fan_out.is_over else None


class JobFeed:
    """One job, to its end."""

    def __init__(self, fan_out: FanOut, job_id: str, after: Cursor) -> None:
        self.bell = Bell(job_id=job_id)
        self.is_over = False
        self._fan_out = fan_out
        self._job_id = job_id
        self._cursor = after

    async def news(self) -> AsyncIterator[bytes]:
        self.bell.take_changed()
        is_all = False
        while not is_all:
            read = await self._fan_out.read(self._job_id, self._cursor)
            for chunk in _chunks(line.encoded(line.cursor) for line in read.lines):
                yield chunk
            self._cursor, is_all = read.cursor, read.is_all
            self.is_over = is_all and not read.is_open


class UserFeed:
    """All jobs of a user. It has no end of its own."""

    is_over = False

    def __init__(self, fan_out: FanOut, streams: Streams, user_id: str, after: UserCursor | None) -> None:
        self.bell = Bell(user_id=user_id)
        self._fan_out = fan_out
        self._streams = streams
        self._user_id = user_id
        self._after = after
        self._places: dict[str, Cursor] | None = None  # of the jobs that are open, or changed lately
        self._settled = 0
        self._open: set[str] = set()
        self._pending: set[str] = set()

    async def news(self) -> AsyncIterator[bytes]:
        places = await self._begin() if self._places is None else self._places
        settled = self._fan_out.settled
        self._pending |= self.bell.take_changed()
        while self._pending:
            job_id = next(iter(self._pending))
            async for chunk in self._news_of(job_id, places):
                yield chunk
            self._pending.discard(job_id)
        # Everything that was known to have changed by then was told.
        self._settled = max(self._settled, settled)
        for job_id in [job_id for job_id, at in places.items() if at.event_id <= self._settled]:
            if job_id not in self._open:
                del places[job_id]

    async def _begin(self) -> dict[str, Cursor]:
        await self._fan_out.settle()
        if self._after is None:
            self._settled = self._fan_out.settled
            places = await self._fan_out.ask(self._streams.places_now, self._user_id, self._settled)
        else:
            self._settled = self._after.settled
            places = await self._fan_out.ask(self._streams.places, self._user_id, self._after)
        self._places = dict(places)
        self._pending = set(places)
        return self._places

    async def _news_of(self, job_id: str, places: dict[str, Cursor]) -> AsyncIterator[bytes]:
        if job_id not in places:
            places[job_id] = await self._fan_out.ask(self._streams.settled_at, job_id, self._settled)
        is_all = False
        while not is_all:
            try:
                read = await self._fan_out.read(job_id, places[job_id])
            except NotFound:
                del places[job_id]
                self._open.discard(job_id)
                return
            for chunk in _chunks(line.encoded(self._at(job_id, line)) for line in read.lines):
                yield chunk
            places[job_id], is_all = read.cursor, read.is_all
            (self._open.add if read.is_open else self._open.discard)(job_id)

    def _at(self, job_id: str, line: Line) -> UserCursor:
        return UserCursor(settled=self._settled, jobs={**(self._places or {}), job_id: line.cursor})


def _chunks(encoded: Iterator[bytes]) -> Iterator[bytes]:
    """Several events are sent as one, but not too many: a client that reads slowly is waited for after each."""
    gathered = bytearray()
    for each in encoded:
        gathered += each
        if len(gathered) >= _CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)
