"""kill -9 of the orchestrator while jobs run (rows 2, 3 and 4 of the fault plan)."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress

import pytest

from tests.faults.invariants import look
from tests.waiting import eventually

MIB = 1024**2
LOOP_SECONDS = 60.0


@pytest.fixture
def lose_orchestrator(site):
    """`lose_orchestrator(job_id)`: kill -9 while the job's container waits at its gate."""

    def lose(job_id):
        eventually(lambda: site.count_starts(job_id) == 1, what="the container's start")
        site.stop_orchestrators(signal.SIGKILL)

    return lose


def wait_for_exit(site, job_id):
    eventually(lambda: site.inspect(job_id)["State"]["Status"] == "exited", what="the container's end")


def end_reasons(site, job_id):
    return [str(attempt.end_reason) for attempt in look(site).stories[job_id].attempts]


@pytest.mark.parametrize(
    ("wishes", "ending"),
    [
        ([], ("completed", 0, ["adapter_verified"])),
        (["fake:exit=3"], ("failed", 3, ["trainer_failed"])),
        # Once for each step of the memory ladder.
        (["fake:oom=1"], ("failed", 137, ["out_of_memory", "out_of_memory"])),
    ],
)
def test_a_container_that_ends_while_nobody_watches_is_recorded_as_it_ended(
    site, alice, lose_orchestrator, wishes, ending
):
    status, exit_code, reasons = ending
    job_id = alice.start("fake:gate=1", *wishes)
    site.start("orchestrate", LORRY_MEMORY_LIMIT_BYTES=str(256 * MIB))
    lose_orchestrator(job_id)
    site.open_gate(job_id)
    wait_for_exit(site, job_id)

    site.start("orchestrate", LORRY_MEMORY_LIMIT_BYTES=str(256 * MIB))
    job = alice.wait(job_id, status)
    assert (job["exit_code"], end_reasons(site, job_id)) == (exit_code, reasons)


def test_a_container_that_vanishes_while_nobody_watches_is_lost_and_made_up_for(site, alice, engine, lose_orchestrator):
    job_id = alice.start("fake:gate=1")
    site.start("orchestrate")
    lose_orchestrator(job_id)
    engine.client.remove_container(f"training-{job_id}", force=True)
    site.open_gate(job_id)

    site.start("orchestrate")
    alice.wait(job_id, "completed")
    assert end_reasons(site, job_id) == ["container_lost", "adapter_verified"]


@pytest.mark.slow
def test_killed_again_and_again_for_a_minute_every_job_ends_once_and_correctly(site, request, chance):
    users = [site.user(f"{number} of {request.node.name}") for number in range(5)]
    endings = {"completed": "fake:seconds=4", "failed": "fake:exit=3"}
    jobs = [(user, user.start(wish), status) for user in users for status, wish in endings.items()]

    over_at = time.monotonic() + LOOP_SECONDS
    while time.monotonic() < over_at:
        orchestrator = site.start("orchestrate")
        with suppress(subprocess.TimeoutExpired):
            orchestrator.popen.wait(chance.uniform(0.5, 3.0))
        orchestrator.stop(signal.SIGKILL)

    site.start("orchestrate")
    for user, job_id, status in jobs:
        job = user.wait(job_id, status)
        assert (job["attempt"], site.count_starts(job_id)) == (1, 1), job
    site.wait_for_no_container()
