"""What containers print, report and leave behind, through the real engine: once, in order, and bounded.

Rows 11, 15, 31, 32 and 33 of the fault plan.
"""

from __future__ import annotations

import json
import time

import pytest

from orchestrator.domain.events import MAX_HISTORY_ROWS
from tests.waiting import eventually

MIB = 1024**2
PASS_SECONDS = 10.0  # a pass with its pause, however loud one job is, on a busy machine


@pytest.fixture
def serve(install):
    """`serve(LORRY_X="1")`: an installation that runs, and a user of it."""

    def started(**settings):
        installation = install(**settings)
        installation.serve()
        installation.wait_until_ready()
        return installation, installation.user("alice")

    return started


def log_of(installation, job_id):
    return (installation.data_dir / "logs" / f"{job_id}.log").read_text(encoding="utf-8").splitlines()


def numbered(count):
    return [f"line {number}" for number in range(1, count + 1)]


def types_of(user, job_id):
    return [event["type"] for event in user.records(job_id, "events")]


# -- logs (row 11) ------------------------------------------------------------------------------------------------


def test_a_log_stream_that_is_cut_again_and_again_gives_every_line_once(serve, engine_proxy):
    installation, alice = serve(LORRY_DOCKER_HOST=engine_proxy.url)
    fault = engine_proxy.cut("GET .*/logs", after_bytes=200_000, times=20)
    job_id = alice.start("fake:print_lines=20000", "fake:seconds=4")

    alice.wait(job_id, "completed")

    assert fault.times < 18
    assert log_of(installation, job_id)[1:] == numbered(20_000)


def test_an_orchestrator_that_is_killed_while_it_captures_doubles_no_line(serve):
    installation, alice = serve(LORRY_LOG_MAX_BYTES=str(50 * MIB))
    job_id = alice.start("fake:print_lines=100000", "fake:seconds=6")
    for _ in range(3):
        size_before = _size(installation, job_id)
        eventually(lambda before=size_before: _size(installation, job_id) > before, what="a longer log")
        installation.processes[-1].popen.kill()
        installation.processes[-1].popen.wait()
        installation.serve()
    alice = installation.user("alice")

    alice.wait(job_id, "completed")

    assert log_of(installation, job_id)[1:] == numbered(100_000)


def _size(installation, job_id):
    path = installation.data_dir / "logs" / f"{job_id}.log"
    return path.stat().st_size if path.exists() else 0


# -- output (row 31) ----------------------------------------------------------------------------------------------


def test_a_flood_is_bounded_has_gap_marks_and_holds_up_nobody_else(serve):
    installation, alice = serve(LORRY_LOG_MAX_BYTES=str(4 * MIB), LORRY_LOG_MAX_FILES="2")
    loud = alice.start("fake:log=flood", "fake:seconds=1")
    quiet = alice.start("fake:seconds=5", "fake:reports=50")
    lags = []
    while alice.job(quiet)["status"] != "completed":
        written_at = _last_step(installation, quiet)
        began = time.monotonic()
        eventually(lambda step=written_at: _stored_step(alice, quiet) >= step, what=f"step {written_at}")
        lags.append(time.monotonic() - began)
    alice.wait(loud, "completed")

    lines = log_of(installation, loud)
    assert max(lags) < PASS_SECONDS
    assert any("lines are missing" in line for line in lines)
    assert {line for line in lines[1:] if not line.startswith("[")} == {"all work and no play makes a dull log"}
    assert _size(installation, loud) < 64 * MIB


def _last_step(installation, job_id):
    path = installation.data_dir / "outputs" / job_id / "events.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return max([0, *(json.loads(line).get("step", 0) for line in lines if b"metrics" in line)])


def _stored_step(user, job_id):
    return max([0, *(row["step"] for row in user.records(job_id, "metrics"))])


def test_odd_output_is_made_harmless_and_the_job_completes(serve):
    installation, alice = serve()
    kinds = ("nul", "long_line", "carriage_return", "sse")
    jobs = {kind: alice.start(f"fake:log={kind}") for kind in kinds}
    logs = {}
    for kind, job_id in jobs.items():
        alice.wait(job_id, "completed")
        logs[kind] = log_of(installation, job_id)[1:]

    assert logs["nul"] == ["beforeafter \ufffd\ufffd red"]
    assert [len(line) < 20_000 and line.endswith("[line cut]") for line in logs["long_line"]] == [True]
    assert logs["carriage_return"] == ["100 %"]
    assert logs["sse"] == ["data: x", "", "event: done", "data: {}", ""]
    assert alice.get(f"/training/jobs/{jobs['nul']}/logs")


# -- events (row 15) ----------------------------------------------------------------------------------------------


def test_three_hundred_metrics_between_two_looks_are_all_stored_in_order(serve):
    _, alice = serve(LORRY_POLL_SECONDS="2")
    job_id = alice.start("fake:reports=300", "fake:seconds=1")

    alice.wait(job_id, "completed")

    steps = [row["step"] for row in alice.records(job_id, "metrics")]
    assert len(steps) == 300
    assert steps == sorted(set(steps))


def test_a_flood_of_reports_fills_the_history_once_and_the_job_completes_all_the_same(serve):
    _, alice = serve()
    job_id = alice.start(f"fake:samples={MAX_HISTORY_ROWS + 5_000}")

    alice.wait(job_id, "completed")

    events = alice.get(f"/training/jobs/{job_id}/events", limit=1000, after=MAX_HISTORY_ROWS - 500)
    assert [event["type"] for event in events].count("gap") == 1
    assert len(alice.records(job_id, "metrics")) == 20


def test_events_that_are_none_change_nothing(serve):
    _, alice = serve()
    job_id = alice.start("fake:events=garbage")

    alice.wait(job_id, "completed")

    assert [row["step"] for row in alice.records(job_id, "metrics")][:2] == [1, 2]
    assert "from_the_future" in types_of(alice, job_id)


# -- outputs (rows 32 and 33) -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", ["fake:fill_outputs=40", "fake:empty_files=20000"])
def test_a_job_that_fills_the_disk_is_stopped_and_told_why(serve, wish):
    _, alice = serve(LORRY_OUTPUTS_MAX_BYTES=str(32 * MIB))
    job_id = alice.start(wish, "fake:seconds=60")

    job = alice.wait(job_id, "failed")

    assert job["end_reason"] == "outputs_too_large"
    assert job["completed_at"] is not None


def test_hostile_outputs_are_measured_collected_and_left(serve):
    _, alice = serve()
    job_id = alice.start("fake:hostile_outputs=1", "fake:seconds=7")

    alice.wait(job_id, "completed")

    assert all("link" not in artifact["name"] for artifact in alice.records(job_id, "artifacts"))
