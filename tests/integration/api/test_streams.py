"""Streams over real connections, of jobs that another process works on."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore, connect
from orchestrator.domain.events import JobEvent, status_event
from orchestrator.domain.lifecycle import EndReason
from tests.factories import make_attempt, make_job, make_metric
from tests.integration.api.running import STOP_SECONDS, Running
from tests.unit.api.event_source import Event, names, parse
from tests.unit.api.installation import ALICE
from tests.waiting import eventually

OWN = "/api/training/stream"
# Those of the routes' pool, of its start and of the streams together.
MAX_THREADS = 60


class OtherProcess:
    """What an orchestrator does, on the store that the server's process has open too."""

    def __init__(self, data_dir: Path) -> None:
        self._database = connect(f"sqlite:///{data_dir / 'lorry.db'}")
        self.jobs, self.records = SqlJobStore(self._database), SqlRecordStore(self._database)
        self._slots = itertools.count(1)

    def start(self) -> str:
        job, slot = make_job(user_id=ALICE), next(self._slots)
        self.jobs.add(job, status_event(None, job, "Submitted."))
        claimed = job.claimed(slot=slot, devices=(f"cpu-{slot}",), at=job.updated_at)
        attempt = make_attempt(job, devices=claimed.gpu_ids)
        claimed = self.jobs.claim(claimed, attempt, status_event(job, claimed, "Launching."))
        running = claimed.running(started_at=job.updated_at, at=job.updated_at)
        self.jobs.save(running, events=[status_event(claimed, running, "Running.")])
        return job.id

    def train(self, job_id: str, step: int, *, message: str = "گربه") -> None:
        job, before = self.jobs.get(job_id), self.jobs.attempts(job_id)[-1]
        after = before.evolve(events_offset=before.events_offset + 1)
        row = JobEvent(job_id=job_id, attempt=1, type="checkpoint", message=message, at=job.created_at)
        self.jobs.advance(job, before, after, events=[row], metrics=[make_metric(job_id, step=step)])

    def end(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        ended = job.ended(EndReason.ADAPTER_VERIFIED, at=job.updated_at)
        self.jobs.save(ended, events=[status_event(job, ended, "Done.")])

    def close(self) -> None:
        self._database.close()


@pytest.fixture
def other(server: Running, data_dir: Path) -> Iterator[OtherProcess]:
    other = OtherProcess(data_dir)
    yield other
    other.close()


@contextmanager
def _connected(server: Running, path: str, **headers: str) -> Iterator[Iterator[Event]]:
    url, sent = f"{server.url}{path}", {**server.headers, **headers}
    with httpx2.stream("GET", url, headers=sent, timeout=20) as answer:
        assert answer.status_code == 200, answer.read()
        yield parse(answer.iter_lines())


def _stream(job_id: str) -> str:
    return f"/api/training/jobs/{job_id}/stream"


def _steps(events: list[Event]) -> list[int]:
    return [event.data["step"] for event in events if event.name == "metrics"]


def _rows(events: list[Event]) -> list[int]:
    return [event.data["id"] for event in events if event.name in ("status", "history")]


def test_what_another_process_stores_is_told_as_it_comes_and_the_end_closes(
    server: Running, other: OtherProcess
) -> None:
    job_id = other.start()
    with _connected(server, _stream(job_id)) as events:
        told = [next(events)]
        for step in range(1, 6):
            other.train(job_id, step)
            told += itertools.takewhile(lambda event, step=step: event.data.get("step") != step, events)
        other.end(job_id)
        told += events

    assert _rows(told) == [event.id for event in other.records.events(job_id)]
    assert names(told)[-1] == "done"
    assert names(told).count("done") == 1


def test_a_client_that_is_cut_off_after_every_event_still_gets_each_once(server: Running, other: OtherProcess) -> None:
    job_id = other.start()
    working = threading.Thread(
        target=lambda: [*(other.train(job_id, step) for step in range(1, 16)), other.end(job_id)]
    )
    working.start()
    told: list[Event] = []
    while not told or told[-1].name != "done":
        last = {"Last-Event-ID": told[-1].id} if told else {}
        with _connected(server, _stream(job_id), **last) as events:
            told.append(next(events))
    working.join()

    assert _steps(told) == list(range(1, 16))
    assert _rows(told) == [event.id for event in other.records.events(job_id)]
    again = httpx2.get(f"{server.url}{_stream(job_id)}", headers={**server.headers, "Last-Event-ID": told[-1].id})
    assert again.status_code == 204


def test_all_jobs_of_a_user_come_over_one_connection(server: Running, other: OtherProcess) -> None:
    with _connected(server, OWN) as events:
        first, second = other.start(), other.start()
        for job_id in (first, second):
            other.train(job_id, 1)
            other.end(job_id)
        ends = (event for event in events if event.name == "done")
        assert {next(ends).data["job_id"], next(ends).data["job_id"]} == {first, second}


def test_open_streams_neither_hold_the_server_nor_lose_their_place(server: Running, other: OtherProcess) -> None:
    job_id = other.start()
    with ExitStack() as connections:
        streams = [
            connections.enter_context(_connected(server, path)) for path in [_stream(job_id), OWN] for _ in range(15)
        ]
        for events in streams:
            next(events)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        for events in streams:
            *_, last = events
            assert (last.name, last.data["code"]) == ("closing", "SERVER_STOPPING")
        assert time.monotonic() - began < STOP_SECONDS
    server.process.wait(timeout=20)
    assert server.process.returncode == 0


def test_many_open_streams_need_few_threads(server: Running, other: OtherProcess) -> None:
    job_id = other.start()
    with ExitStack() as connections:
        streams = [connections.enter_context(_connected(server, _stream(job_id))) for _ in range(60)]
        for events in streams:
            next(events)
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        threads = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Threads:"))
        other.train(job_id, 1)
        for events in streams:
            assert next(event for event in events if event.name == "metrics").data["step"] == 1

    assert threads < MAX_THREADS


def test_a_client_that_reads_nothing_holds_nobody_up_and_nothing_in_memory(
    server: Running, other: OtherProcess
) -> None:
    job_id = other.start()
    with socket.create_connection(server.address) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lines = [f"GET {_stream(job_id)} HTTP/1.1", "Host: x", f"Authorization: Bearer {server.token}", "", ""]
        stuck.sendall("\r\n".join(lines).encode())
        stuck.recv(100)
        before = _resident_bytes(server)
        with _connected(server, _stream(job_id)) as events:
            for step in range(1, 41):
                other.train(job_id, step, message="x" * 100_000)
                assert next(event for event in events if event.name == "metrics").data["step"] == step
        # 4 MB went to the one who reads.
        assert _resident_bytes(server) - before < 64 * 1024**2
        server.stop()
    assert server.process.returncode == 0


def _resident_bytes(server: Running) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def test_a_ticket_opens_a_stream_once_and_is_in_no_log(server: Running, other: OtherProcess) -> None:
    job_id = other.start()
    other.end(job_id)
    asked = httpx2.post(f"{server.url}/api/auth/ticket", json={"job_id": job_id}, headers=server.headers)
    ticket = asked.json()["data"]["ticket"]

    answers = [httpx2.get(f"{server.url}{_stream(job_id)}", params={"ticket": ticket}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert names(parse(answers[0].text.splitlines()))[-1] == "done"
    server.stop()
    lines = eventually(lambda: [json.loads(line) for line in server.log], what="a log")
    assert any(line.get("path") == _stream(job_id) for line in lines)
    assert ticket not in str(lines)
