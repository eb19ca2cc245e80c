"""kill -9 of the orchestrator at every point that matters (rows 1, 3 and 4 of the fault plan): each job ends once."""

from __future__ import annotations

import pytest

from tests.faults.kill_points import KILL_POINTS

STOPPING = ("after_signal", "after_stop_recorded")
TRAINING = [point for point in KILL_POINTS if point not in (*STOPPING, "after_requeue")]


def metric_steps(user, job_id):
    return [row["step"] for row in user.records(job_id, "metrics")]


@pytest.mark.parametrize("point", TRAINING)
def test_killed_there_the_same_attempt_goes_on_and_completes(site, alice, crash, point):
    job_id = alice.start()
    crash(point)

    site.start("orchestrate")
    job = alice.wait(job_id, "completed")

    assert (job["attempt"], site.count_starts(job_id)) == (1, 1)
    steps = metric_steps(alice, job_id)
    assert steps == sorted(set(steps))
    assert len(steps) == 20
    assert [row["step"] for row in alice.records(job_id, "samples")] == steps[-1:]
    site.wait_for_no_container()


def test_killed_after_it_gave_a_broken_attempt_another_chance_there_is_exactly_one_more(site, alice, crash, engine):
    job_id = alice.start("fake:gate=1")
    site.start("orchestrate")
    alice.wait(job_id, "running")
    site.stop_orchestrators()
    engine.client.kill(f"training-{job_id}", "SIGKILL")
    crash("after_requeue")
    site.open_gate(job_id)

    site.start("orchestrate")
    assert alice.wait(job_id, "completed")["attempt"] == 2
    assert site.count_starts(job_id) == 2
    site.wait_for_no_container()


@pytest.mark.parametrize("point", STOPPING)
def test_killed_while_it_stops_a_job_the_job_is_cancelled(site, alice, crash, point):
    job_id = alice.start("fake:hang=1")
    site.start("orchestrate")
    alice.wait(job_id, "running")
    site.stop_orchestrators()
    alice.http.post(f"/training/jobs/{job_id}/cancel")
    crash(point)

    site.start("orchestrate")
    assert alice.wait(job_id, "cancelled")["attempt"] == 1
    site.wait_for_no_container()
