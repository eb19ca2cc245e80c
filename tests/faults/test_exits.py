"""How a container's own end is told apart (row 27 of the fault plan): memory, signals and codes are never guessed."""

from __future__ import annotations

import pytest

from tests.faults.invariants import look

LITTLE_MEMORY = str(256 * 1024**2)


@pytest.fixture
def end_of(site, alice):
    """`end_of("fake:abort=1", "failed")`: the job, and the reason and OOM flag of each of its attempts."""

    def run(wish, status):
        job_id = alice.start(wish)
        site.start("orchestrate", LORRY_MEMORY_LIMIT_BYTES=LITTLE_MEMORY, LORRY_MAX_RETRIES="1")
        job = alice.wait(job_id, status)
        attempts = look(site).stories[job_id].attempts
        return job, [(str(attempt.end_reason), attempt.is_oom_killed) for attempt in attempts]

    return run


def test_a_trainer_that_takes_too_much_memory_is_called_out_of_memory_and_gets_one_smaller_try(end_of):
    job, attempts = end_of("fake:oom=1", "failed")
    assert attempts == [("out_of_memory", True), ("out_of_memory", True)]
    assert (job["end_reason"], job["exit_code"]) == ("out_of_memory", 137)


def test_a_trainer_that_loses_a_child_to_memory_but_finishes_has_completed(end_of):
    job, attempts = end_of("fake:child_oom=1", "completed")
    assert attempts == [("adapter_verified", True)]
    assert job["exit_code"] == 0


def test_exit_code_137_alone_is_not_called_out_of_memory(end_of):
    job, attempts = end_of("fake:exit=137", "failed")
    assert attempts == [("killed", False), ("killed", False)]
    assert "memory" not in job["error_message"]


@pytest.mark.parametrize(("wish", "exit_code"), [("fake:abort=1", 134), ("fake:segfault=1", 139)])
def test_a_trainer_that_crashes_is_the_users_to_look_at_and_is_not_tried_again(end_of, wish, exit_code):
    job, attempts = end_of(wish, "failed")
    assert attempts == [("trainer_failed", False)]
    assert job["exit_code"] == exit_code
