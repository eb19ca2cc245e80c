"""Six states, the arrows between them, and what each way of ending means."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from orchestrator.domain.errors import Conflict
from orchestrator.domain.job import Progress, container_name
from orchestrator.domain.lifecycle import ALLOWED, ENDINGS, EndReason, JobStatus, exit_sentence, reason_for_exit
from tests.factories import NOW, make_job

LATER = NOW + timedelta(hours=1)

ARROWS = {
    (JobStatus.PENDING, JobStatus.QUEUED),
    (JobStatus.RUNNING, JobStatus.QUEUED),
    (JobStatus.FAILED, JobStatus.QUEUED),
    (JobStatus.QUEUED, JobStatus.PENDING),
    (JobStatus.QUEUED, JobStatus.FAILED),
    (JobStatus.QUEUED, JobStatus.CANCELLED),
    (JobStatus.PENDING, JobStatus.RUNNING),
    (JobStatus.PENDING, JobStatus.COMPLETED),
    (JobStatus.PENDING, JobStatus.FAILED),
    (JobStatus.PENDING, JobStatus.CANCELLED),
    (JobStatus.RUNNING, JobStatus.COMPLETED),
    (JobStatus.RUNNING, JobStatus.FAILED),
    (JobStatus.RUNNING, JobStatus.CANCELLED),
}

MOVES = {
    JobStatus.PENDING: lambda job: job.claimed(slot=1, devices=("cpu-0",), at=LATER),
    JobStatus.RUNNING: lambda job: job.running(started_at=LATER, at=LATER),
    JobStatus.COMPLETED: lambda job: job.ended(EndReason.ADAPTER_VERIFIED, at=LATER),
    JobStatus.FAILED: lambda job: job.ended(EndReason.KILLED, at=LATER),
    JobStatus.CANCELLED: lambda job: job.ended(EndReason.CANCEL_REQUESTED, at=LATER),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(JobStatus, MOVES)))
def test_a_job_moves_along_the_arrows_and_nowhere_else(before, after):
    job = make_job(status=before)

    if (before, after) in ARROWS:
        assert MOVES[after](job).status is after
    else:
        with pytest.raises(Conflict, match=f"{job.id} cannot go from {before} to {after}") as raised:
            MOVES[after](job)
        assert raised.value.code == "ILLEGAL_TRANSITION"


def test_the_table_of_arrows_names_every_state_and_only_failed_ones_are_left_again():
    assert {(before, after) for before, targets in ALLOWED.items() for after in targets} == ARROWS
    assert ALLOWED.keys() == set(JobStatus)
    assert [status for status in JobStatus if status.is_final and ALLOWED[status]] == [JobStatus.FAILED]


@pytest.mark.parametrize("reason", EndReason)
def test_every_reason_ends_a_job_with_a_sentence(reason):
    ending = ENDINGS[reason]

    assert ending.status.is_final
    assert ending.sentence.endswith(".")


def test_only_verified_files_complete_and_only_a_request_cancels():
    completed = [reason for reason, ending in ENDINGS.items() if ending.status is JobStatus.COMPLETED]
    cancelled = [reason for reason, ending in ENDINGS.items() if ending.status is JobStatus.CANCELLED]

    assert completed == [EndReason.ADAPTER_VERIFIED, EndReason.DIAGNOSTIC_PASSED]
    assert cancelled == [EndReason.CANCEL_REQUESTED]


@pytest.mark.parametrize(
    ("exit_code", "is_oom_killed", "reason"),
    [
        (0, False, None),
        (0, True, None),  # a child was killed and the trainer went on
        (1, False, EndReason.TRAINER_FAILED),
        (1, True, EndReason.OUT_OF_MEMORY),
        (10, False, EndReason.BAD_CONFIG),
        (11, False, EndReason.DATASET_UNUSABLE),
        (12, False, EndReason.BASE_MODEL_UNAVAILABLE),
        (13, False, EndReason.GPU_OUT_OF_MEMORY),
        (14, False, EndReason.LOSS_NOT_FINITE),
        (15, False, EndReason.STOPPED_UNASKED),
        (16, False, EndReason.DISK_FULL),
        (17, False, EndReason.GPU_FAILED),
        (70, False, EndReason.TRAINER_FAILED),
        (137, False, EndReason.KILLED),
        (137, True, EndReason.OUT_OF_MEMORY),
        (139, False, EndReason.TRAINER_FAILED),
        (143, False, EndReason.STOPPED_UNASKED),
        (126, False, EndReason.COMMAND_UNUSABLE),
        (127, False, EndReason.COMMAND_UNUSABLE),
        (255, False, EndReason.TRAINER_FAILED),
    ],
)
def test_an_exit_code_gives_one_reason(exit_code, is_oom_killed, reason):
    assert reason_for_exit(exit_code, is_oom_killed=is_oom_killed) is reason


@pytest.mark.parametrize(
    ("exit_code", "sentence"),
    [
        (70, "It ended with exit code 70."),
        (139, "It was ended by SIGSEGV (exit code 139)."),
        (134, "It was ended by SIGABRT (exit code 134)."),
        (255, "It ended with exit code 255."),
    ],
)
def test_an_exit_is_said_in_words(exit_code, sentence):
    assert exit_sentence(exit_code) == sentence


def test_a_job_that_runs_again_no_longer_shows_why_the_last_attempt_ended():
    waiting = make_job(error_message="The container disappeared.", status=JobStatus.PENDING)

    assert waiting.running(started_at=LATER, at=LATER).error_message is None


def _running_job(**changes):
    progress = Progress(progress=40.0, phase="train", current_step=400, total_steps=1000, eta_seconds=60.0)
    facts = {
        "status": JobStatus.RUNNING,
        "slot": 2,
        "attempt": 1,
        "container_id": "c",
        "gpu_ids": ("GPU-1",),
        "started_at": NOW,
        "progress": progress,
    }
    return make_job(**facts | changes)


def test_a_completed_job_stands_at_one_hundred_percent_without_an_error():
    ended = _running_job().ended(EndReason.ADAPTER_VERIFIED, at=LATER, message="ignored", exit_code=0)

    assert (ended.status, ended.end_reason, ended.exit_code) == (JobStatus.COMPLETED, EndReason.ADAPTER_VERIFIED, 0)
    assert (ended.progress.progress, ended.progress.eta_seconds) == (100.0, None)
    assert ended.error_message is None


def test_an_ended_job_gives_its_slot_back_and_keeps_what_tells_its_story():
    job = _running_job()

    ended = job.ended(EndReason.KILLED, at=LATER, exit_code=137)

    assert (ended.slot, ended.completed_at, ended.updated_at) == (None, LATER, LATER)
    assert ended.error_message == ENDINGS[EndReason.KILLED].sentence
    assert (ended.progress.progress, ended.progress.current_step, ended.progress.eta_seconds) == (40.0, 400, None)
    kept = ("container_id", "gpu_ids", "started_at", "attempt", "cancel_requested_at", "version")
    assert all(getattr(ended, name) == getattr(job, name) for name in kept)


def test_a_message_takes_the_place_of_the_sentence():
    assert _running_job().ended(EndReason.KILLED, at=LATER, message="why").error_message == "why"


def test_a_claimed_job_begins_a_new_attempt_without_the_last_ones_container():
    claimed = make_job(attempt=1, container_id="old").claimed(slot=2, devices=("GPU-1",), at=LATER)

    assert (claimed.attempt, claimed.slot, claimed.gpu_ids, claimed.container_id) == (2, 2, ("GPU-1",), None)


def test_a_job_that_failed_before_it_ran_is_a_launch_failure():
    pending = make_job(status=JobStatus.PENDING, slot=1)

    assert pending.ended(EndReason.IMAGE_MISSING, at=LATER).is_launch_failure
    assert not pending.ended(EndReason.CANCEL_REQUESTED, at=LATER).is_launch_failure
    assert not _running_job().ended(EndReason.KILLED, at=LATER).is_launch_failure


def test_the_container_of_a_later_attempt_carries_its_number():
    assert container_name("id", 1) == "training-id"
    assert container_name("id", 2) == "training-id-2"
