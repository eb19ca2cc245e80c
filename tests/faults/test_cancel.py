"""Cancelling a job in every state it can be in (rows 22, 24, 25 and 26 of the fault plan): final, and never undone."""

from __future__ import annotations

import pytest

from tests.faults.invariants import look
from tests.waiting import eventually

STOP_GRACE_SECONDS = 1.0
GONE_WITHIN_SECONDS = STOP_GRACE_SECONDS + 15.0


def cancel(user, job_id):
    return user.http.post(f"/training/jobs/{job_id}/cancel")


def latest_attempt(site, job_id):
    return look(site).stories[job_id].attempts[-1]


@pytest.fixture
def running(site, alice):
    """`running("fake:hang=1")`: a job whose container runs, the orchestrator at work."""

    def start(*wishes, **environment):
        job_id = alice.start(*wishes)
        site.start("orchestrate", **environment)
        alice.wait(job_id, "running")
        eventually(lambda: site.count_starts(job_id) == 1, what="the container's start")
        return job_id

    return start


def test_a_queued_job_is_cancelled_at_once_and_never_started(site, alice):
    job_id, later = alice.start(), alice.start()
    assert cancel(alice, job_id).json()["data"]["status"] == "cancelled"

    site.start("orchestrate")
    alice.wait(later, "completed")
    assert (alice.job(job_id)["status"], site.count_starts(job_id)) == ("cancelled", 0)


@pytest.mark.parametrize("point", ["after_claim", "after_create", "after_container_recorded"])
def test_a_job_that_is_being_launched_is_cancelled_and_never_started(site, alice, crash, point):
    job_id = alice.start("fake:hang=1")
    crash(point)
    assert cancel(alice, job_id).json()["data"]["status"] == "pending"

    site.start("orchestrate")
    assert alice.wait(job_id, "cancelled")["started_at"] is None
    assert site.count_starts(job_id) == 0
    site.wait_for_no_container()


def test_a_job_whose_container_has_just_started_is_cancelled(site, alice, crash):
    job_id = alice.start("fake:hang=1")
    crash("after_start")
    assert cancel(alice, job_id).json()["data"]["status"] == "pending"

    site.start("orchestrate")
    alice.wait(job_id, "cancelled")
    site.wait_for_no_container()


def test_a_trainer_that_is_asked_to_stop_leaves_a_checkpoint_which_is_kept(site, alice, running):
    job_id = running("fake:hang=1")
    assert cancel(alice, job_id).json()["data"]["status"] == "running"

    job = alice.wait(job_id, "cancelled", within_seconds=GONE_WITHIN_SECONDS)
    assert (job["end_reason"], job["exit_code"], job["attempt"]) == ("cancel_requested", 15, 1)
    assert "checkpoint" in {artifact["kind"] for artifact in alice.records(job_id, "artifacts")}
    site.wait_for_no_container()


def test_a_trainer_that_ignores_sigterm_is_killed_after_its_grace_and_not_called_out_of_memory(site, alice, running):
    job_id = running("fake:hang=1", "fake:ignore_sigterm=1")
    cancel(alice, job_id)
    assert cancel(alice, job_id).status_code == 200  # asking again while it stops changes nothing

    job = alice.wait(job_id, "cancelled", within_seconds=GONE_WITHIN_SECONDS)
    assert (job["end_reason"], job["exit_code"]) == ("cancel_requested", 137)
    attempt = latest_attempt(site, job_id)
    assert (attempt.is_oom_killed, attempt.kill_count) == (False, 1)
    site.wait_for_no_container()


def test_a_job_that_is_to_stop_now_gets_no_time_to_save(site, alice, running):
    job_id = running("fake:hang=1", LORRY_STOP_GRACE_SECONDS="600")
    alice.http.post(f"/training/jobs/{job_id}/cancel", json={"save": False})

    job = alice.wait(job_id, "cancelled", within_seconds=GONE_WITHIN_SECONDS)
    assert (job["end_reason"], job["exit_code"]) == ("cancel_requested", 137)
    assert "checkpoint" not in {artifact["kind"] for artifact in alice.records(job_id, "artifacts")}
    site.wait_for_no_container()


def test_a_job_that_takes_long_to_save_may_be_stopped_now_also_by_another_orchestrator(site, alice, running):
    job_id = running("fake:hang=1", "fake:ignore_sigterm=1", LORRY_STOP_GRACE_SECONDS="600")
    cancel(alice, job_id)
    eventually(lambda: alice.job(job_id)["kill_at"] is not None, what="the time it has to save")
    site.stop_orchestrators()
    alice.http.post(f"/training/jobs/{job_id}/cancel", json={"save": False})

    site.start("orchestrate", LORRY_STOP_GRACE_SECONDS="600")
    assert alice.wait(job_id, "cancelled", within_seconds=GONE_WITHIN_SECONDS)["exit_code"] == 137
    site.wait_for_no_container()


def test_a_paused_container_is_stopped_with_a_checkpoint(site, alice, engine, running):
    job_id = running("fake:hang=1")
    site.stop_orchestrators()
    engine.client.pause(f"training-{job_id}")
    cancel(alice, job_id)

    site.start("orchestrate")
    assert alice.wait(job_id, "cancelled")["exit_code"] == 15
    site.wait_for_no_container()


def test_a_container_that_somebody_paused_goes_on_by_itself(site, alice, engine, running):
    job_id = running("fake:gate=1")
    engine.client.pause(f"training-{job_id}")
    site.open_gate(job_id)
    assert alice.wait(job_id, "completed")["attempt"] == 1


def test_a_job_that_waits_for_another_attempt_is_cancelled_at_once_and_gets_none(site, alice, engine, running):
    job_id = running("fake:hang=1", LORRY_RETRY_DELAY_SECONDS="60")
    engine.client.kill(f"training-{job_id}", "SIGKILL")
    alice.wait(job_id, "queued")
    assert cancel(alice, job_id).json()["data"]["status"] == "cancelled"

    later = alice.start()
    alice.wait(later, "completed")
    assert (alice.job(job_id)["status"], site.count_starts(job_id)) == ("cancelled", 1)


@pytest.mark.parametrize(("wish", "status"), [("fake:seconds=0", "completed"), ("fake:exit=3", "failed")])
def test_a_job_that_has_ended_stays_as_it_is(site, alice, wish, status):
    job_id = alice.start(wish)
    site.start("orchestrate")
    alice.wait(job_id, status)

    answer = cancel(alice, job_id)
    assert (answer.status_code, answer.json()["error"]) == (409, "JOB_ENDED")
    assert alice.job(job_id)["status"] == status


def test_a_cancelled_job_is_not_tried_again(site, alice, running):
    job_id = running("fake:hang=1")
    cancel(alice, job_id)
    alice.wait(job_id, "cancelled")

    assert alice.http.post(f"/training/jobs/{job_id}/retry").status_code == 409
    assert alice.job(job_id)["status"] == "cancelled"
