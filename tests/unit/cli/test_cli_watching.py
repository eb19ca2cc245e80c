"""Following a job, and what its lines say."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from cli.client import LorryClient
from cli.errors import LorryApiError
from cli.watching import LiveDisplay, PlainDisplay, display_on, facts, follow, outcome, stage

MakeJob = Callable[..., Any]

PLACE = {
    "position": 2,
    "reason": "no GPU or CPU slot is free",
    "explanation": "The only GPU is taken.",
    "freed_by": "A running job ends.",
    "waiting_since": "2026-11-21T03:00:00Z",
    "eta_seconds": 240.0,
    "eta_low_seconds": 180.0,
    "eta_high_seconds": 420.0,
}
NO_TIME = {"reason": "no GPU is free", "eta_seconds": None}


def watched(server: Any, display: Any) -> Any:
    client = LorryClient(server.url, "lorry_token", repeat_after=(0.0,))
    with display:
        return follow(client, "j", display, poll_seconds=0.0)


def test_plain_lines_tell_the_story_once_each(server: Any, make_job: MakeJob) -> None:
    waiting = make_job(
        status="queued",
        phase=None,
        progress=0.0,
        metrics={},
        queue=PLACE | {"position": 2} | NO_TIME,
    )
    for job in (waiting, waiting, make_job(), make_job(progress=51.0), make_job(status="completed", progress=100.0)):
        server.data("/training/jobs/j", job)
    stream = io.StringIO()
    assert watched(server, PlainDisplay(stream))["status"] == "completed"
    assert stream.getvalue().splitlines() == [
        "queued        0%  place 2: no GPU is free",
        "train        50%  step 60/120  loss 0.1235  1 min 15 s left",
        "completed   100%  step 60/120  loss 0.1235  1 min 15 s left",
    ]


def test_a_server_that_restarts_is_waited_for_and_said_so_once(server: Any, make_job: MakeJob) -> None:
    server.data("/training/jobs/j", make_job())
    for _ in range(5):
        server.refuse("GET", "/training/jobs/j", 503, "STORE_UNAVAILABLE", "away")
    server.data("/training/jobs/j", make_job(status="completed"))
    stream = io.StringIO()
    assert watched(server, PlainDisplay(stream))["status"] == "completed"
    assert stream.getvalue().count("trying again") == 1


def test_a_server_that_never_answered_is_not_waited_for(server: Any) -> None:
    server.refuse("GET", "/training/jobs/j", 503, "STORE_UNAVAILABLE", "away")
    with pytest.raises(LorryApiError):
        watched(server, PlainDisplay(io.StringIO()))


def test_an_unknown_job_ends_the_watch(server: Any) -> None:
    with pytest.raises(LorryApiError, match="nothing canned"):
        watched(server, PlainDisplay(io.StringIO()))


def test_the_live_bar_shows_phase_step_loss_and_time_left(server: Any, make_job: MakeJob) -> None:
    server.data("/training/jobs/j", make_job())
    server.data("/training/jobs/j", make_job(status="completed", phase="register", progress=100.0))
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    watched(server, LiveDisplay(console))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "step 60/120" in text
    assert "loss 0.1235" in text
    assert "100%" in text


def test_a_pipe_gets_plain_lines() -> None:
    assert isinstance(display_on(io.StringIO()), PlainDisplay)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "queued", "phase": None}, "queued"),
        ({"status": "running", "phase": None}, "running"),
        ({"status": "running", "phase": "evaluate"}, "evaluate"),
        ({"status": "failed", "phase": "train"}, "failed"),
    ],
)
def test_the_stage_is_the_phase_only_while_running(make_job: MakeJob, changes: dict[str, Any], expected: str) -> None:
    assert stage(make_job(**changes)) == expected


def test_facts_leave_out_what_is_not_known(make_job: MakeJob) -> None:
    assert facts(make_job(metrics={}, eta_seconds=None, total_steps=0)) == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "; starts in about 4 min 00 s (3 min 00 s to 7 min 00 s)"),
        ({"eta_low_seconds": None, "eta_high_seconds": None}, "; starts in about 4 min 00 s"),
        ({"eta_seconds": None, "eta_low_seconds": None, "eta_high_seconds": None}, ""),
    ],
)
def test_a_queued_job_tells_its_place_the_reason_and_when_it_starts_as_far_as_that_is_known(
    make_job: MakeJob, changes: dict[str, Any], expected: str
) -> None:
    job = make_job(status="queued", queue=PLACE | changes)
    assert facts(job) == f"place 2: no GPU or CPU slot is free{expected}"


def test_a_failed_job_says_why_without_escape_sequences(make_job: MakeJob) -> None:
    job = make_job(status="failed", end_reason="loss_not_finite", error_message="The loss\x1b[31m ran away.")
    assert outcome(job) == f"Job {job['id']} failed (loss_not_finite): The loss\ufffd[31m ran away."


def streamed(*events: tuple[str, dict[str, Any], str]) -> bytes:
    frames = [f"event: {name}\ndata: {json.dumps(data)}\nid: {event_id}\n\n" for name, data, event_id in events]
    return ("retry: 2000\n\n: ping\n\n" + "".join(frames)).encode()


def stream(server: Any, *events: tuple[str, dict[str, Any], str]) -> None:
    server.answer("GET", "/training/jobs/j/stream", streamed(*events), Content_Type="text/event-stream")


def progress(**changes: Any) -> dict[str, Any]:
    return {"job_id": "j", "status": "running", "progress": 60.0, "current_step": 72, "phase": "train", **changes}


def test_a_stream_tells_progress_without_asking_again(server: Any, make_job: MakeJob) -> None:
    server.data("/training/jobs/j", make_job())
    server.data("/training/jobs/j", make_job(status="completed", progress=100.0))
    stream(
        server, ("progress", progress(), "1"), ("metrics", {"step": 72}, "2"), ("done", {"status": "completed"}, "3")
    )
    shown = io.StringIO()

    assert watched(server, PlainDisplay(shown))["status"] == "completed"

    assert [line.split()[:2] for line in shown.getvalue().splitlines()] == [
        ["train", "50%"],
        ["train", "60%"],
        ["completed", "100%"],
    ]
    assert [seen.path for seen in server.seen].count("/api/training/jobs/j") == 2


def test_a_stream_that_is_cut_goes_on_behind_the_last_event(server: Any, make_job: MakeJob) -> None:
    server.data("/training/jobs/j", make_job())
    server.data("/training/jobs/j", make_job(status="failed"))
    stream(server, ("progress", progress(), "1"))
    server.refuse("GET", "/training/jobs/j/stream", 503, "STORE_UNAVAILABLE", "away")
    stream(server, ("closing", {"code": "SERVER_STOPPING"}, "1"))
    stream(server, ("error", {"status": "failed"}, "2"))
    shown = io.StringIO()

    assert watched(server, PlainDisplay(shown))["status"] == "failed"

    asked = [seen.query["after"] for seen in server.seen if seen.path.endswith("/stream")]
    assert asked == [["now"], ["1"], ["1"], ["1"]]
    assert shown.getvalue().count("trying again") == 1


def test_a_status_of_a_stream_is_looked_up_for_what_a_queued_job_waits_for(server: Any, make_job: MakeJob) -> None:
    waiting = make_job(
        status="queued",
        phase=None,
        progress=0.0,
        queue=PLACE | {"position": 1} | NO_TIME,
    )
    server.data("/training/jobs/j", make_job())
    server.data("/training/jobs/j", waiting)
    server.data("/training/jobs/j", make_job(status="cancelled"))
    stream(server, ("status", {"new_status": "queued"}, "1"), ("error", {"status": "cancelled"}, "2"))
    shown = io.StringIO()

    watched(server, PlainDisplay(shown))

    assert "place 1: no GPU is free" in shown.getvalue()
