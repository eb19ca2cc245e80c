"""Live streams over a real store, in an event loop of the test's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from api.fan_out import FanOut, Settling
from api.streaming import EventStream, Feed, JobFeed, UserFeed, events
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.events import JobEvent, status_event
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.streaming import Cursor, News, UserCursor
from orchestrator.services.streams import Streams
from orchestrator.stop_flag import StopFlag
from tests.factories import make_attempt, make_metric
from tests.unit.api.event_source import Event, parse
from tests.unit.api.installation import ALICE, BOB, Installation

PATIENCE_SECONDS = 15.0


class CountingStreams:
    """Counts how often the store is asked for a job's news, and is away when told so."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.news_asked = 0
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._streams, name)

    def news(self, job_id: str, after: Cursor) -> News:
        self.news_asked += 1
        if self.is_away:
            raise StoreUnavailable("The job store did not answer.")
        return self._streams.news(job_id, after)


class Office:
    """A fan-out, and what its jobs do meanwhile."""

    def __init__(self, lorry: Installation) -> None:
        self.lorry = lorry
        self.stopping = StopFlag()
        self.streams: Any = CountingStreams(lorry.services.streams)
        self.fan_out = FanOut(self.streams, self.stopping)
        self._steps: dict[str, int] = {}
        self._slots = itertools.count(1)

    def start(self, user: str = ALICE) -> str:
        job = self.lorry.jobs.get(self.lorry.submit(user))
        slot = next(self._slots)
        claimed = job.claimed(slot=slot, devices=(f"cpu-{slot}",), at=job.updated_at)
        attempt = make_attempt(job, devices=claimed.gpu_ids)
        claimed = self.lorry.jobs.claim(claimed, attempt, status_event(job, claimed, "Launching."))
        running = claimed.running(started_at=job.updated_at, at=job.updated_at)
        self.lorry.jobs.save(running, events=[status_event(claimed, running, "Running.")])
        return job.id

    def train(self, job_id: str, *, printing: str | None = None) -> None:
        """One step further, with a metric, an event and perhaps a line of the log."""
        job, before = self.lorry.jobs.get(job_id), self.lorry.jobs.attempts(job_id)[-1]
        step = self._steps[job_id] = self._steps.get(job_id, 0) + 1
        after = before.evolve(
            events_offset=before.events_offset + 10, progress=Progress(current_step=step, total_steps=100)
        )
        if printing is not None:
            log_bytes = self.lorry.workspace.append_log(job_id, [printing], at_bytes=before.log_bytes)
            after = after.evolve(log_bytes=log_bytes)
        rows = [JobEvent(job_id=job_id, attempt=1, type="checkpoint", message=f"{step}", at=job.created_at)]
        self.lorry.jobs.advance(job, before, after, events=rows, metrics=[make_metric(job_id, step=step)])

    def end(self, job_id: str) -> None:
        job = self.lorry.jobs.get(job_id)
        ended = job.ended(EndReason.ADAPTER_VERIFIED, at=job.updated_at)
        self.lorry.jobs.save(ended, events=[status_event(job, ended, "Done.")])

    def job(self, job_id: str, after: str | None = None) -> JobFeed:
        return JobFeed(self.fan_out, job_id, Cursor.parse(after) if after else Cursor())

    def user(self, after: str | None = None, user: str = ALICE) -> UserFeed:
        return UserFeed(self.fan_out, self.streams, user, UserCursor.parse(after) if after else None)

    def stream(
        self, feed: Feed, *, heartbeat_seconds: float = 60.0, user: str = ALICE, **identity: Any
    ) -> AsyncIterator[bytes]:
        who = Identity(user, **identity)
        return events(self.fan_out, feed, self.streams, who, heartbeat_seconds=heartbeat_seconds)


@pytest.fixture
def office(lorry: Installation) -> Office:
    return Office(lorry)


class Reader:
    """Reads a stream on demand."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self.text = ""

    @property
    def events(self) -> list[Event]:
        return list(parse(self.text.split("\n")))

    async def until(self, is_enough: Callable[[list[Event]], object]) -> list[Event]:
        """All events so far, once they are enough."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_enough(self.events):
                self.text += (await anext(self._stream)).decode()
        return self.events

    async def to_its_end(self) -> list[Event]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for chunk in self._stream:
                self.text += chunk.decode()
        return self.events


def _steps(told: list[Event], job_id: str | None = None) -> list[int]:
    return [each.data["step"] for each in told if each.name == "metrics" and job_id in (None, each.data["job_id"])]


def _has_step(step: int, job_id: str | None = None) -> Callable[[list[Event]], bool]:
    return lambda told: step in _steps(told, job_id)


def _history(told: list[Event]) -> list[Any]:
    return [(each.name, each.data) for each in told if each.is_history]


def test_what_happens_is_told_as_it_happens_and_the_end_once(office: Office) -> None:
    job_id = office.start()

    async def story() -> list[Event]:
        reader = Reader(office.stream(office.job(job_id)))
        await reader.until(lambda told: told and told[-1].name == "progress")
        for step in (1, 2, 3):
            office.train(job_id, printing=f"line {step}")
            await reader.until(_has_step(step))
        office.end(job_id)
        return await reader.to_its_end()

    told = asyncio.run(story())

    assert _steps(told) == [1, 2, 3]
    assert [line for each in told if each.name == "log" for line in each.data["lines"]] == [
        "line 1",
        "line 2",
        "line 3",
    ]
    assert [each.data["current_step"] for each in told if each.name == "progress"][:4] == [0, 1, 2, 3]
    assert [each.name for each in told if each.name in ("done", "error", "closing")] == ["done"]
    assert told[-1].name == "done"


def test_a_stream_that_is_cut_behind_any_event_goes_on_there(office: Office) -> None:
    job_id = office.start()
    for step in (1, 2):
        office.train(job_id, printing=f"line {step}")

    async def story() -> list[list[Event]]:
        whole = await Reader(office.stream(office.job(job_id))).until(lambda told: told and told[-1].name == "progress")
        office.train(job_id, printing="line 3")
        office.end(job_id)
        rest = [await Reader(office.stream(office.job(job_id, last.id))).to_its_end() for last in whole]
        return [whole[: place + 1] + each for place, each in enumerate(rest)]

    unions = asyncio.run(story())

    lines = [[line for _, data in _history(union) for line in data.get("lines", ())] for union in unions]
    assert all(each == ["line 1", "line 2", "line 3"] for each in lines)
    assert all(_steps(union) == [1, 2, 3] for union in unions)
    rows = [[data["id"] for name, data in _history(union) if name in ("status", "history")] for union in unions]
    assert all(each == sorted(set(each)) == rows[0] for each in rows)
    assert all([name for name, _ in _history(union)].count("done") == 1 for union in unions)


def test_many_streams_of_a_job_ask_the_store_once_when_it_changed(office: Office) -> None:
    job_id = office.start()

    async def story() -> int:
        readers = [Reader(office.stream(office.job(job_id))) for _ in range(100)]
        await asyncio.gather(*(reader.until(lambda told: told and told[-1].name == "progress") for reader in readers))
        before = office.streams.news_asked
        office.train(job_id)
        await asyncio.gather(*(reader.until(_has_step(1)) for reader in readers))
        return int(office.streams.news_asked) - before

    assert asyncio.run(story()) <= 5


def test_a_client_that_falls_behind_loses_nothing(office: Office) -> None:
    job_id = office.start()

    async def story() -> list[Event]:
        slow, quick = (Reader(office.stream(office.job(job_id))) for _ in range(2))
        await slow.until(lambda told: told)
        for step in range(1, 30):
            office.train(job_id)
            await quick.until(_has_step(step))
        office.end(job_id)
        return await slow.to_its_end()

    assert _steps(asyncio.run(story())) == list(range(1, 30))


def test_a_quiet_stream_beats_while_it_waits(office: Office) -> None:
    job_id = office.start()

    async def story() -> str:
        reader = Reader(office.stream(office.job(job_id), heartbeat_seconds=0.01))
        await reader.until(lambda _: reader.text.count(": ping\n\n") >= 3)
        return reader.text

    assert asyncio.run(story()).count("event: progress") == 1


def test_a_token_that_expires_ends_the_stream_and_says_so(office: Office) -> None:
    job_id = office.start()

    async def story() -> list[Event]:
        expires_at = office.lorry.clock.now() + timedelta(seconds=60)
        reader = Reader(office.stream(office.job(job_id), heartbeat_seconds=0.01, expires_at=expires_at))
        await reader.until(lambda told: told)
        office.lorry.clock.advance(61)
        return await reader.to_its_end()

    told = asyncio.run(story())

    assert (told[-1].name, told[-1].data["code"]) == ("closing", "TOKEN_EXPIRED")
    assert not any(each.name in ("done", "error") for each in told)


def test_tokens_that_are_revoked_end_the_streams_of_their_user_and_of_nobody_else(office: Office) -> None:
    job_id = office.start()

    async def story() -> tuple[list[Event], list[Event]]:
        revoked, other = Reader(office.stream(office.job(job_id))), Reader(office.stream(office.job(job_id), user=BOB))
        for reader in (revoked, other):
            await reader.until(lambda told: told)
        office.train(job_id)
        await revoked.until(_has_step(1))  # a look at the store was had
        office.lorry.tokens.revoke(ALICE)
        ended = await revoked.to_its_end()
        office.end(job_id)
        return ended, await other.to_its_end()

    ended, others = asyncio.run(story())

    assert (ended[-1].name, ended[-1].data["code"]) == ("closing", "TOKEN_REVOKED")
    assert others[-1].name == "done"


def test_a_server_that_stops_ends_every_stream_and_says_so(office: Office) -> None:
    job_id = office.start()

    async def story() -> list[list[Event]]:
        readers = [Reader(office.stream(feed)) for feed in (office.job(job_id), office.user())]
        for reader in readers:
            await reader.until(lambda told: told)
        office.stopping.set()
        return [await reader.to_its_end() for reader in readers]

    for told in asyncio.run(story()):
        assert (told[-1].name, told[-1].data["code"]) == ("closing", "SERVER_STOPPING")


def test_a_store_that_goes_away_keeps_streams_waiting_and_loses_nothing(office: Office) -> None:
    job_id = office.start()

    async def story() -> list[Event]:
        reader = Reader(office.stream(office.job(job_id), heartbeat_seconds=0.01))
        await reader.until(lambda told: told)
        office.streams.is_away = True
        office.train(job_id)
        before = office.streams.news_asked
        await reader.until(lambda _: office.streams.news_asked > before)
        office.streams.is_away = False
        return await reader.until(_has_step(1))

    assert _steps(asyncio.run(story())) == [1]


def test_a_job_that_is_deleted_under_a_stream_ends_it(office: Office) -> None:
    job_id = office.start()

    async def story() -> list[Event]:
        reader = Reader(office.stream(office.job(job_id)))
        await reader.until(lambda told: told)
        with office.lorry.jobs._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM training_jobs")
        return await reader.to_its_end()

    told = asyncio.run(story())

    assert (told[-1].name, told[-1].data["code"]) == ("closing", "JOB_NOT_FOUND")


def test_nobody_looks_at_the_store_when_nobody_watches(office: Office) -> None:
    job_id = office.start()

    async def story() -> bool:
        async with aclosing(office.stream(office.job(job_id))) as stream:  # type: ignore[type-var]
            await Reader(stream).until(lambda told: told)
        assert office.fan_out._watching is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            await office.fan_out._watching
        return office.fan_out.is_over

    assert asyncio.run(story())


def test_a_user_is_told_of_all_their_jobs_and_of_nobody_elses(office: Office) -> None:
    first, theirs = office.start(), office.start(BOB)

    async def story() -> tuple[list[Event], str]:
        reader = Reader(office.stream(office.user()))
        await reader.until(lambda told: told)
        office.train(first, printing="mine")
        office.train(theirs, printing="theirs")
        await reader.until(_has_step(1, first))
        office.end(first)
        await reader.until(lambda told: told[-1].name == "done")
        second = office.start()
        office.train(second)
        return await reader.until(_has_step(1, second)), second

    told, second = asyncio.run(story())

    assert {each.data["job_id"] for each in told} == {first, second}
    assert (told[0].name, told[0].data["status"]) == ("progress", "running")
    of_second = [each for each in told if each.data["job_id"] == second]
    assert of_second[0].data["new_status"] == "queued"


def test_a_users_stream_that_is_cut_behind_any_event_goes_on_there(office: Office) -> None:
    first, second = office.start(), None

    def is_complete(told: list[Event], third: str) -> bool:
        ended = {each.data["job_id"] for each in told if each.name == "done"}
        return ended == {first, third} and _has_step(1, first)(told) and _has_step(2, second)(told)

    async def story() -> list[list[Event]]:
        nonlocal second
        reader = Reader(office.stream(office.user()))
        await reader.until(lambda told: told)
        office.train(first, printing="one")
        second = office.start()
        office.train(second, printing="two")
        office.end(first)
        whole = await reader.until(
            lambda told: _has_step(1, second)(told) and any(each.name == "done" for each in told)
        )
        await reader.until(lambda told: any(each.name == "log" and each.data["job_id"] == second for each in told))
        whole = reader.events
        office.train(second)
        third = office.start()
        office.end(third)
        unions = []
        for place, last in enumerate(whole):
            again = Reader(office.stream(office.user(last.id)))
            seen = whole[: place + 1]
            rest = await again.until(lambda told, seen=seen: is_complete([*seen, *told], third))
            unions.append(whole[: place + 1] + rest)
        return unions

    unions = asyncio.run(story())

    for union in unions:
        assert (_steps(union, first), _steps(union, second)) == ([1], [1, 2])
        rows = [data["id"] for name, data in _history(union) if name in ("status", "history")]
        assert sorted(rows) == sorted(set(rows))
        assert sorted(rows) == sorted(
            data["id"] for name, data in _history(unions[-1]) if name in ("status", "history")
        )
        assert [name for name, _ in _history(union)].count("done") == 2


def test_a_client_that_takes_nothing_is_let_go() -> None:
    closed: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b": ping\n\n"
        finally:
            closed.append("stream")

    async def stuck(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    asyncio.run(EventStream(endless(), send_seconds=0.01).stream_response(stuck))

    assert closed == ["stream"]


def test_an_event_is_settled_once_it_is_half_a_minute_old() -> None:
    now = 100.0
    settling = Settling(lambda: now)
    settling.note(5)
    assert (settling.is_known, settling.settled) == (True, 5)
    now = 110.0
    settling.note(9)
    now = 139.0
    settling.note(12)
    assert settling.settled == 5
    now = 140.0
    settling.note(12)
    assert settling.settled == 9


@pytest.fixture(autouse=True)
def _no_warnings_of_lost_tasks(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    yield
    assert [str(each.message) for each in recwarn if "never awaited" in str(each.message)] == []
