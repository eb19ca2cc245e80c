"""A signal in the middle of a pass: the step at hand is finished, the next one is left to the next process."""

from __future__ import annotations

from orchestrator.domain.lifecycle import JobStatus
from tests.unit.services.world import ALICE, BOB


def _after(steps):
    """False `steps` times, then True."""
    answers = iter([False] * steps)
    return lambda: next(answers, True)


def test_a_pass_that_is_told_to_stop_finishes_the_step_at_hand_and_begins_no_other(world):
    jobs = [world.submit(ALICE), world.submit(BOB)]
    world.run_once()
    for job_id in jobs:
        world.complete(job_id)

    world.reconciler.run_once(_after(1))

    assert [world.job(job_id).status for job_id in jobs] == [JobStatus.COMPLETED, JobStatus.RUNNING]
    world.run_once()
    assert world.job(jobs[1]).status is JobStatus.COMPLETED


def test_a_pass_that_is_told_to_stop_starts_no_further_job(world):
    jobs = [world.submit(ALICE), world.submit(BOB)]

    world.reconciler.run_once(_after(1))

    assert [world.job(job_id).status for job_id in jobs] == [JobStatus.RUNNING, JobStatus.QUEUED]
    assert len(world.containers()) == 1
