"""Which ends are made up for by another attempt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.errors import Conflict
from orchestrator.domain.lifecycle import ENDINGS, EndReason, JobStatus, RetryClass
from orchestrator.domain.memory import MemoryProfile, applied, lower
from orchestrator.domain.retry import RetryPolicy, retry_after
from orchestrator.domain.training import TrainingConfig
from tests.factories import NOW, make_job

POLICY = RetryPolicy(max_retries=3, first_delay_seconds=10, longest_delay_seconds=60)


def _running(**changes):
    return make_job(**{"status": JobStatus.RUNNING, "slot": 1, "attempt": 1} | changes)


def _retry(job, reason, jitter=0.0):
    return retry_after(job, reason, now=NOW, policy=POLICY, jitter=jitter)


@pytest.mark.parametrize("reason", EndReason)
def test_infrastructure_and_memory_are_tried_again_and_nothing_else(reason):
    is_retried = ENDINGS[reason].retry in (RetryClass.INFRASTRUCTURE, RetryClass.MEMORY)

    assert (_retry(_running(), reason) is not None) is is_retried


def test_pauses_double_up_to_the_longest_and_end_with_the_limit():
    pauses = []
    for retries in range(3):
        retry = _retry(_running(retries=retries), EndReason.CONTAINER_LOST)
        pauses.append((retry.at - NOW).total_seconds())

    assert pauses == [10, 20, 40]
    assert _retry(_running(retries=3), EndReason.CONTAINER_LOST) is None
    assert POLICY.delay_seconds(10, 0.0) == 60


def test_jitter_spreads_retries_by_up_to_a_tenth():
    assert _retry(_running(), EndReason.CONTAINER_LOST, jitter=1.0).at - NOW == timedelta(seconds=11)


@pytest.mark.parametrize("reason", [EndReason.CONTAINER_LOST, EndReason.GPU_OUT_OF_MEMORY])
def test_a_job_that_was_cancelled_is_never_tried_again(reason):
    job = _running(cancel_requested_at=NOW)

    assert _retry(job, reason) is None
    with pytest.raises(Conflict):
        job.requeued(at=NOW, message="why")


def test_out_of_memory_takes_one_step_down_the_ladder_at_once():
    retry = _retry(_running(), EndReason.GPU_OUT_OF_MEMORY)

    assert (retry.at, retry.memory_profile) == (NOW, MemoryProfile.CHECKPOINTING)
    assert _retry(_running(memory_profile=retry.memory_profile), EndReason.GPU_OUT_OF_MEMORY) is None


def test_a_step_that_would_change_nothing_is_left_out():
    thrifty = TrainingConfig(gradient_checkpointing=True, batch_size=4)

    assert lower(thrifty, MemoryProfile.NORMAL) is MemoryProfile.SINGLE
    single = TrainingConfig(gradient_checkpointing=True)
    assert lower(single, MemoryProfile.NORMAL) is MemoryProfile.EIGHT_BIT
    assert lower(replace(single, optimizer="prodigy"), MemoryProfile.NORMAL) is None
    beyond = replace(single, optimizer="prodigy", batch_size=8, gradient_accumulation_steps=64)
    assert lower(beyond, MemoryProfile.NORMAL) is None


@pytest.mark.parametrize("profile", MemoryProfile)
def test_a_profile_never_changes_how_many_pictures_a_step_learns_from(profile):
    config = TrainingConfig(batch_size=4, gradient_accumulation_steps=2)

    lowered = applied(config, profile)

    assert lowered.batch_size * lowered.gradient_accumulation_steps == 8
    assert lowered.steps == config.steps


def test_a_requeued_job_holds_nothing_and_says_why():
    job = _running(gpu_ids=("GPU-1",), started_at=NOW)

    queued = job.requeued(at=NOW, message="The container disappeared.", retry_at=NOW, retries=1)

    assert (queued.status, queued.slot, queued.gpu_ids) == (JobStatus.QUEUED, None, ())
    assert (queued.error_message, queued.started_at) == ("The container disappeared.", NOW)


def test_a_reopened_job_starts_with_new_patience():
    failed = make_job(status=JobStatus.FAILED, attempt=4, retries=3, started_at=NOW, completed_at=NOW, exit_code=70)

    again = failed.reopened(at=NOW, resume_from="step-000100")

    assert (again.status, again.attempt, again.retries, again.resume_from) == (JobStatus.QUEUED, 4, 0, "step-000100")
    assert (again.started_at, again.completed_at, again.exit_code, again.end_reason) == (None, None, None, None)
