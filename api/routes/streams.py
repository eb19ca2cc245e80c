"""Live streams (docs/streams.md), and the one-time tickets by which an EventSource opens them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.dependencies import CurrentIdentity, JobId, StreamsService, TicketsService, admit, of_app
from api.door import Door
from api.fan_out import FanOut
from api.router import Router
from api.schemas.envelope import GUARDED, Single, errors
from api.schemas.streams import TicketBody, TicketOut
from api.streaming import EventStream, JobFeed, OpenStreams, UserFeed, events
from orchestrator.domain.identity import Identity
from orchestrator.domain.streaming import MAX_CURSOR_LENGTH, Cursor, UserCursor

router = Router(tags=["streams"], responses=GUARDED)

_FROM_NOW = "now"
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The events, until it ends."}
}
_NOTHING_NEW: dict[int | str, dict[str, Any]] = {
    204: {"description": "The job's end was told before; there is nothing to connect again for."}
}

# Of other characters as many would not fit into an address.
_VISIBLE_ASCII = "^[!-~]*$"


async def _after(
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            description="Go on behind this event.",
            max_length=MAX_CURSOR_LENGTH,
            pattern=_VISIBLE_ASCII,
        ),
    ] = None,
    after: Annotated[
        str | None,
        Query(
            description="The same, for where no header can be set; `now` leaves out what was.",
            max_length=MAX_CURSOR_LENGTH,
            pattern=_VISIBLE_ASCII,
        ),
    ] = None,
) -> str | None:
    """A header wins: it is what an EventSource sends when it connects again to the same address."""
    return last_event_id or after


After = Annotated[str | None, Depends(_after)]


AppFanOut = Annotated[FanOut, Depends(of_app(lambda state: state.fan_out))]
AppOpenStreams = Annotated[OpenStreams, Depends(of_app(lambda state: state.open_streams))]


# Guards are dependencies: once a stream has begun, its status has been sent.
async def _job_watcher(
    request: Request, job_id: JobId, door: Door, tickets: TicketsService, streams: StreamsService
) -> Identity:
    identity = await door.let_in(lambda ticket: tickets.redeem(ticket, job_id))
    request.state.is_stream = True
    await run_in_threadpool(streams.require, identity, job_id)
    return identity


async def _own_watcher(request: Request, door: Door, tickets: TicketsService) -> Identity:
    identity = await door.let_in(lambda ticket: tickets.redeem(ticket, None))
    request.state.is_stream = True
    return identity


JobWatcher = Annotated[Identity, Depends(_job_watcher)]
OwnWatcher = Annotated[Identity, Depends(_own_watcher)]


async def _count_job_stream(identity: JobWatcher, streams: AppOpenStreams) -> AsyncIterator[None]:
    with streams.counted(identity.user_id):
        yield


async def _count_own_stream(identity: OwnWatcher, streams: AppOpenStreams) -> AsyncIterator[None]:
    with streams.counted(identity.user_id):
        yield


@router.post(
    "/auth/ticket",
    summary="Get a ticket for a stream",
    dependencies=[Depends(admit)],
    responses=errors(400, 404),
)
def create_ticket(
    identity: CurrentIdentity, tickets: TicketsService, body: TicketBody | None = None
) -> Single[TicketOut]:
    """For browsers, whose EventSource cannot send a token. It opens one stream, once, within 30 seconds."""
    job_id = str(body.job_id) if body is not None and body.job_id is not None else None
    return Single(data=TicketOut.from_domain(tickets.issue(identity, job_id)))


@router.get(
    "/training/stream",
    summary="Watch all of the caller's jobs",
    response_class=StreamingResponse,
    responses={**_STREAM, **errors(400)},
    dependencies=[Depends(_count_own_stream)],
)
async def stream_jobs(identity: OwnWatcher, fan_out: AppFanOut, streams: StreamsService, after: After) -> Response:
    """Server-sent events of every job, from now on or behind the last one seen. It has no end of its own."""
    cursor = UserCursor.parse(after) if after and after != _FROM_NOW else None
    feed = UserFeed(fan_out, streams, identity.user_id, cursor)
    return EventStream(events(fan_out, feed, streams, identity))


@router.get(
    "/training/jobs/{job_id}/stream",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses={**_STREAM, **_NOTHING_NEW, **errors(400, 404)},
    dependencies=[Depends(_count_job_stream)],
)
async def stream_job(
    job_id: JobId, identity: JobWatcher, fan_out: AppFanOut, streams: StreamsService, after: After
) -> Response:
    """Server-sent events: all that happened, or all behind the last one seen, then what happens, to the job's end."""
    if after == _FROM_NOW:
        cursor = await run_in_threadpool(streams.now, job_id)
    else:
        cursor = Cursor.parse(after) if after else Cursor()
    if cursor.is_end and await run_in_threadpool(streams.has_told_all, job_id, cursor):
        return Response(status_code=204)
    return EventStream(events(fan_out, JobFeed(fan_out, job_id, cursor), streams, identity))
