"""Streams of jobs that have ended, tickets, and who is let in; live ones are in test_fan_out."""

from __future__ import annotations

import itertools
from datetime import timedelta

import httpx2
import pytest
from structlog.testing import capture_logs

from api.streaming import OpenStreams, TooManyStreams
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import EndReason
from tests.factories import make_metric
from tests.unit.api.event_source import Event, names, parse
from tests.unit.api.installation import ALICE, BOB, Installation

OWN = "/api/training/stream"
TICKET = "/api/auth/ticket"


def _stream(job_id: str) -> str:
    return f"/api/training/jobs/{job_id}/stream"


def _events(answer: httpx2.Response) -> list[Event]:
    assert answer.status_code == 200, answer.text
    return list(parse(answer.text.splitlines()))


def _ended(lorry: Installation) -> str:
    """A job that trained, printed and was cancelled."""
    lorry.orchestrator.launches = lambda orchestrator, job: orchestrator.start(job)
    job_id = lorry.submit()
    job = lorry.jobs.get(job_id)
    attempt = lorry.jobs.attempts(job_id)[-1]
    log_bytes = lorry.workspace.append_log(job_id, ["loading", "data: x\r\revent: done", "گربه"], at_bytes=0)
    lorry.jobs.save(
        job,
        attempt.evolve(log_bytes=log_bytes),
        events=[_row(job, "phase"), _row(job, "sample"), _row(job, "done"), _row(job, "checkpoint")],
        metrics=[make_metric(job_id, step=step) for step in (10, 20, 30)],
    )
    _end(lorry, job_id)
    return job_id


def _row(job: Job, kind: str) -> JobEvent:
    return JobEvent(job_id=job.id, attempt=1, type=kind, message=kind, at=job.created_at)


def _end(lorry: Installation, job_id: str) -> None:
    lorry.client.post(f"/api/training/jobs/{job_id}/cancel", headers=lorry.as_user())
    job = lorry.jobs.get(job_id)
    if not job.status.is_final:
        lorry.jobs.save(job.ended(EndReason.CANCEL_REQUESTED, at=job.updated_at))


def test_a_job_that_has_ended_is_told_from_its_beginning_and_the_stream_closes(lorry: Installation) -> None:
    events = _events(lorry.client.get(_stream(_ended(lorry)), headers=lorry.as_user()))

    told = names(events)
    assert told[:2] == ["status", "status"]
    assert [name for name in told if name in ("phase", "sample")] == ["phase", "sample"]
    assert told.count("metrics") == 3
    assert told[-2:] == ["progress", "error"]
    assert [told.count(name) for name in ("done", "error")] == [0, 1]
    assert (events[-1].data["status"], events[-1].data["end_reason"]) == ("cancelled", "cancel_requested")


def test_a_trainer_cannot_make_up_events_or_break_out_of_one(lorry: Installation) -> None:
    events = _events(lorry.client.get(_stream(_ended(lorry)), headers=lorry.as_user()))

    assert [event.data["type"] for event in events if event.name == "history"] == ["done", "checkpoint", "cancel"]
    (log,) = [event for event in events if event.name == "log"]
    assert log.data["lines"] == ["loading", "data: x\r\revent: done", "گربه"]


def test_whoever_connects_again_after_any_event_gets_the_rest_and_nothing_twice(lorry: Installation) -> None:
    job_id = _ended(lorry)
    whole = _events(lorry.client.get(_stream(job_id), headers=lorry.as_user()))
    history = [event.data for event in whole if event.is_history]

    for place, last in enumerate(whole[:-1]):
        again = lorry.client.get(_stream(job_id), headers={**lorry.as_user(), "Last-Event-ID": last.id})
        seen = [event.data for event in whole[: place + 1] if event.is_history]
        assert seen + [event.data for event in _events(again) if event.is_history] == history


def test_who_was_told_the_end_has_nothing_to_connect_again_for(lorry: Installation) -> None:
    job_id = _ended(lorry)
    last = _events(lorry.client.get(_stream(job_id), headers=lorry.as_user()))[-1]

    by_header = lorry.client.get(_stream(job_id), headers={**lorry.as_user(), "Last-Event-ID": last.id})
    by_query = lorry.client.get(_stream(job_id), headers=lorry.as_user(), params={"after": last.id})

    for answer in (by_header, by_query):
        assert (answer.status_code, answer.content) == (204, b"")


def test_now_leaves_out_what_was(lorry: Installation) -> None:
    answer = lorry.client.get(_stream(_ended(lorry)), params={"after": "now"}, headers=lorry.as_user())

    assert names(_events(answer)) == ["progress", "error"]


@pytest.mark.parametrize("where", ["header", "query"])
@pytest.mark.parametrize("cursor", ["12", "x" * 50, "1.2.3.4.5"])
def test_a_place_that_nobody_gave_out_is_refused(lorry: Installation, where: str, cursor: str) -> None:
    headers = {"Last-Event-ID": cursor} if where == "header" else {}
    params = {"after": cursor} if where == "query" else {}

    answer = lorry.client.get(_stream(_ended(lorry)), headers={**lorry.as_user(), **headers}, params=params)

    assert (answer.status_code, answer.json()["error"]) == (400, "CURSOR_UNKNOWN")


def test_a_stream_is_kept_out_of_caches_and_of_proxies_buffers(lorry: Installation) -> None:
    answer = lorry.client.get(_stream(_ended(lorry)), headers=lorry.as_user())

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.text.startswith("retry: ")


def test_asking_for_a_streams_head_ends(lorry: Installation) -> None:
    assert lorry.client.head(OWN, headers=lorry.as_user()).status_code == 200


def test_a_browser_may_send_the_last_id_from_another_origin(install) -> None:
    lorry = install(cors_origins=("https://app.example",))
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "Last-Event-ID, Authorization",
    }
    answer = lorry.client.options(OWN, headers=asked)

    assert answer.status_code == 200
    assert "last-event-id" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_anothers_job_is_unknown_before_any_stream_begins(lorry: Installation) -> None:
    job_id = _ended(lorry)

    answer = lorry.client.get(_stream(job_id), headers=lorry.as_user(BOB))

    assert (answer.status_code, answer.json()["error"]) == (404, "JOB_NOT_FOUND")
    assert answer.headers["Content-Type"] == "application/json"
    assert lorry.client.get(_stream(job_id), headers=lorry.as_admin()).status_code == 200


def _ticket(lorry: Installation, user: str = ALICE, **body: str) -> str:
    answer = lorry.client.post(TICKET, json=body, headers=lorry.as_user(user))
    assert answer.status_code == 200, answer.text
    ticket: str = answer.json()["data"]["ticket"]
    return ticket


def test_a_ticket_opens_the_stream_it_is_for_once(lorry: Installation) -> None:
    job_id = _ended(lorry)
    ticket = _ticket(lorry, job_id=job_id)

    first, second = (lorry.client.get(_stream(job_id), params={"ticket": ticket}) for _ in range(2))

    assert names(_events(first))[-1] == "error"
    assert (second.status_code, second.json()["error"]) == (401, "TICKET_INVALID")


def test_a_ticket_for_one_job_opens_neither_another_nor_the_stream_of_all(lorry: Installation) -> None:
    job_id, other = _ended(lorry), lorry.submit()
    for path in (_stream(other), OWN):
        answer = lorry.client.get(path, params={"ticket": _ticket(lorry, job_id=job_id)})
        assert answer.status_code == 401
    answer = lorry.client.get(_stream(job_id), params={"ticket": _ticket(lorry)})
    assert answer.status_code == 401


def test_a_ticket_that_was_kept_too_long_is_refused(lorry: Installation) -> None:
    job_id = _ended(lorry)
    ticket = _ticket(lorry, job_id=job_id)
    lorry.clock.advance(31)

    assert lorry.client.get(_stream(job_id), params={"ticket": ticket}).status_code == 401


def test_a_ticket_is_good_for_streams_alone(lorry: Installation) -> None:
    for path in ("/api/training/jobs", "/api/datasets"):
        assert lorry.client.get(path, params={"ticket": _ticket(lorry)}).status_code == 401
    answer = lorry.client.get("/api/training/jobs", headers={"Authorization": f"Bearer {_ticket(lorry)}"})
    assert answer.status_code == 401


def test_nobody_gets_a_ticket_for_anothers_job(lorry: Installation) -> None:
    job_id = lorry.submit(BOB)

    assert lorry.client.post(TICKET, json={"job_id": job_id}, headers=lorry.as_user()).status_code == 404


@pytest.mark.parametrize("ticket", ["", "x", "%00", "x" * 200])
def test_a_made_up_ticket_is_refused_and_counts_against_its_address(install, ticket: str) -> None:
    lorry = install(failed_authentication_rate="3/minute")

    answers = [lorry.client.get(f"{OWN}?ticket={ticket}") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_no_ticket_is_in_the_log(lorry: Installation) -> None:
    job_id = _ended(lorry)
    with capture_logs() as entries:
        ticket = _ticket(lorry, job_id=job_id)
        for _ in range(2):
            lorry.client.get(_stream(job_id), params={"ticket": ticket})

    assert len(entries) == 3
    assert ticket not in str(entries)


def test_a_ticket_dies_with_the_token_that_it_stands_for(lorry: Installation) -> None:
    token = lorry.tokens.issue(ALICE, ttl=timedelta(seconds=10))
    headers = {"Authorization": f"Bearer {token}"}
    ticket = lorry.client.post(TICKET, json={}, headers=headers).json()["data"]["ticket"]
    lorry.clock.advance(11)

    events = _events(lorry.client.get(OWN, params={"ticket": ticket}))

    assert (names(events)[-1], events[-1].data["code"]) == ("closing", "TOKEN_EXPIRED")


def test_a_ticket_dies_when_the_tokens_of_its_user_are_revoked(lorry: Installation) -> None:
    ticket = _ticket(lorry)
    lorry.tokens.revoke(ALICE)

    assert lorry.client.get(OWN, params={"ticket": ticket}).status_code == 401


def test_how_long_streams_last_is_no_measure_of_how_quick_answers_are(lorry: Installation) -> None:
    lorry.client.get(_stream(_ended(lorry)), headers=lorry.as_user())
    text = lorry.client.get("/api/metrics").text

    assert 'lorry_http_requests_total{method="GET",route="/training/jobs/{job_id}/stream",status="200"} 1.0' in text
    assert 'seconds_count{method="GET",route="/training/jobs/{job_id}/stream"}' not in text


def test_a_user_has_so_many_streams_and_others_have_theirs() -> None:
    streams = OpenStreams(2)
    with (
        streams.counted(ALICE),
        streams.counted(ALICE),
        streams.counted(BOB),
        pytest.raises(TooManyStreams, match="2 streams open"),
        streams.counted(ALICE),
    ):
        pass
    with streams.counted(ALICE), streams.counted(ALICE):
        pass


def test_streams_that_have_ended_leave_room_for_the_next(install) -> None:
    lorry = install(max_streams_per_user=1)
    job_id = _ended(lorry)

    answers = [lorry.client.get(_stream(job_id), headers=lorry.as_user()) for _ in itertools.repeat(None, 3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
