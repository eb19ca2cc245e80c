"""What the orchestrator makes up for by itself, what a user may ask for, and what it holds instead of failing."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import Program
from orchestrator.domain.container import ContainerState
from orchestrator.domain.errors import Conflict, NotFound, Rejected
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.training import TrainingConfig
from tests.unit.services.world import ALICE, BOB


def _running(world, **changes):
    job_id = world.submit(**changes)
    world.run_once()
    assert world.is_running(job_id)
    return job_id


def _ends(world, job_id):
    return [attempt.end_reason for attempt in world.store.attempts(job_id)]


def test_a_lost_container_is_made_up_for_by_another_attempt_after_a_pause(world):
    job_id = _running(world)
    world.engine.lose(world.container(job_id).id)
    world.run_once()

    waiting = world.job(job_id)
    assert (waiting.status, waiting.retries, waiting.slot) == (JobStatus.QUEUED, 1, None)
    assert "disappeared" in waiting.error_message
    assert world.store.leased_devices() == frozenset()
    assert world.jobs.get(ALICE, job_id).place.reason.startswith("tried again")

    world.run_once(after_seconds=1)
    assert not world.is_running(job_id)
    world.run_once(after_seconds=15)
    assert world.container(job_id).name == f"training-{job_id}-2"
    world.complete(job_id)
    world.run_once()
    assert world.job(job_id).status is JobStatus.COMPLETED
    assert _ends(world, job_id) == [EndReason.CONTAINER_LOST, EndReason.ADAPTER_VERIFIED]


def test_infrastructure_that_keeps_failing_ends_the_job_with_the_last_reason(world):
    job_id = _running(world)
    for _ in range(4):
        world.engine.lose(world.container(job_id).id)
        world.run_once()
        world.run_once(after_seconds=400)

    job = world.job(job_id)
    assert (job.status, job.end_reason) == (JobStatus.FAILED, EndReason.CONTAINER_LOST)
    assert _ends(world, job_id) == [EndReason.CONTAINER_LOST] * 4


def test_out_of_memory_is_tried_once_with_a_lower_profile_that_the_config_file_shows(world):
    job_id = _running(world)
    world.exit(job_id, 13)
    world.run_once()

    attempts = world.store.attempts(job_id)
    assert [attempt.memory_profile for attempt in attempts] == [MemoryProfile.NORMAL, MemoryProfile.CHECKPOINTING]
    config = world.workspace.configs[job_id]
    assert config["training_params"]["gradient_checkpointing"] is True
    assert config["lineage"]["lorry.memory_profile"] == MemoryProfile.CHECKPOINTING
    assert world.job(job_id).config == TrainingConfig(), "what the user asked for stays as it was"

    world.exit(job_id, 13)
    world.run_once()
    assert world.job(job_id).status is JobStatus.FAILED


def test_a_cancelled_job_is_not_tried_again_whatever_happens_to_its_container(world):
    job_id = _running(world)
    world.cancel(job_id)
    world.engine.lose(world.container(job_id).id)
    world.run_once()

    assert world.job(job_id).status is JobStatus.CANCELLED
    world.run_once(after_seconds=1000)
    assert world.containers() == []


def test_a_job_that_waits_to_be_tried_again_is_cancelled_at_once(world):
    job_id = _running(world)
    world.engine.lose(world.container(job_id).id)
    world.run_once()

    world.cancel(job_id)

    assert world.job(job_id).status is JobStatus.CANCELLED
    world.run_once(after_seconds=1000)
    assert world.containers() == []


def test_a_missing_image_holds_the_queue_and_says_what_to_do(world):
    image = world.engine.images.pop("training-image")
    job_id = world.submit()
    world.run_once()

    assert world.job(job_id).status is JobStatus.QUEUED
    assert "make setup" in world.jobs.get(ALICE, job_id).place.reason

    world.engine.images["training-image"] = image
    world.run_once()
    assert world.is_running(job_id)


def test_a_full_disk_holds_the_queue_and_leaves_running_jobs_alone(world):
    running = _running(world)
    world.disk.free = 1024
    waiting = world.submit()
    world.run_once()

    assert world.is_running(running)
    assert "are free in the data directory" in world.jobs.get(ALICE, waiting).place.reason
    world.disk.free = 1024**4
    world.run_once()
    assert world.is_running(waiting)


def test_a_launch_the_disk_refuses_is_tried_again(world):
    world.workspace.is_disk_full = True
    job_id = world.submit()
    world.run_once()
    assert world.job(job_id).status is JobStatus.QUEUED
    assert world.containers() == []

    world.workspace.is_disk_full = False
    world.run_once(after_seconds=15)
    assert world.is_running(job_id)


def test_a_silent_trainer_is_stopped_and_tried_again(world):
    job_id = _running(world)
    world.write_event(job_id, "progress", step=1, total_steps=10)
    world.run_once()
    world.run_once(after_seconds=1801)
    assert world.store.attempts(job_id)[-1].stop_reason is EndReason.STALLED

    world.run_once()
    assert _ends(world, job_id)[0] is EndReason.STALLED
    assert world.job(job_id).status is JobStatus.QUEUED


def test_a_job_that_runs_too_long_is_stopped_and_not_tried_again(world):
    job_id = _running(world, max_runtime_seconds=100)
    world.run_once(after_seconds=101)
    world.run_once()

    job = world.job(job_id)
    assert (job.status, job.end_reason) == (JobStatus.FAILED, EndReason.RUN_TIME_EXCEEDED)
    assert world.event_types(job_id).count("stop") == 1


def test_a_container_that_survives_kills_keeps_its_slot_and_is_reported_once(world):
    world.engine.program = lambda _: Program(obeys_sigterm=False, survives_sigkill=True)
    job_id = _running(world)
    world.cancel(job_id)
    world.run_once()
    for _ in range(8):
        world.run_once(after_seconds=60)

    assert world.job(job_id).status is JobStatus.RUNNING
    assert world.store.attempts(job_id)[-1].kill_count > 3
    assert world.event_types(job_id).count("stuck") == 1


def test_a_container_paused_from_outside_goes_on(world):
    job_id = _running(world)
    world.engine.pause(world.container(job_id).id)
    world.run_once()

    assert world.container(job_id).state is ContainerState.RUNNING
    assert world.job(job_id).status is JobStatus.RUNNING


# -- asked for by the user --------------------------------------------------------------------------------------------


def _failed(world, **changes):
    job_id = _running(world, **changes)
    world.workspace.write(job_id, "checkpoints/step-000100/state.safetensors", b"state")
    world.exit(job_id, 70)
    world.run_once()
    assert world.job(job_id).status is JobStatus.FAILED
    return job_id


def test_a_failed_job_is_tried_again_with_the_same_settings(world):
    job_id = _failed(world)

    view = world.jobs.retry(ALICE, job_id, resume_from="step-000100")
    assert (view.job.status, view.job.completed_at, view.job.error_message) == (JobStatus.QUEUED, None, None)
    world.run_once()

    assert world.container(job_id).name == f"training-{job_id}-2"
    assert world.workspace.configs[job_id]["resume_from"] == "step-000100"
    assert world.store.attempts(job_id)[-1].resume_from == "step-000100"


def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(world):
    job_id = _failed(world)

    with pytest.raises(Rejected, match="step-000100"):
        world.jobs.retry(ALICE, job_id, resume_from="step-000200")


@pytest.mark.parametrize("end", ["complete", "cancel", None])
def test_only_a_failed_job_is_tried_again(world, end):
    job_id = _running(world)
    if end == "complete":
        world.complete(job_id)
    elif end == "cancel":
        world.cancel(job_id)
    world.run_once()
    world.run_once()

    with pytest.raises(Conflict):
        world.jobs.retry(ALICE, job_id, resume_from=None)


def test_another_users_job_is_not_found(world):
    job_id = _failed(world)

    with pytest.raises(NotFound):
        world.jobs.retry(BOB, job_id, resume_from=None)


def _failed_with_a_checkpoint(world):
    """A job whose outputs retention has taken away since."""
    job_id = _running(world)
    for name in ("state.safetensors", "manifest.json"):
        world.workspace.write(job_id, f"checkpoints/step-000100/{name}", name.encode())
    world.exit(job_id, 10)
    world.run_once()
    world.workspace.outputs[job_id].clear()
    return job_id


@pytest.mark.parametrize("resume_from", [None, "step-000100"])
def test_checkpoints_are_put_back_for_an_attempt_whose_outputs_are_gone(world, resume_from):
    job_id = _failed_with_a_checkpoint(world)
    world.jobs.retry(ALICE, job_id, resume_from=resume_from)
    world.run_once()

    assert world.is_running(job_id)
    assert world.workspace.outputs[job_id] == {
        "checkpoints/step-000100/state.safetensors": b"state.safetensors",
        "checkpoints/step-000100/manifest.json": b"manifest.json",
    }


def test_an_attempt_that_starts_over_is_given_no_checkpoints(world):
    job_id = _failed_with_a_checkpoint(world)
    world.jobs.retry(ALICE, job_id, resume_from="scratch")
    world.run_once()

    assert world.is_running(job_id)
    assert world.workspace.outputs[job_id] == {}


def test_checkpoints_whose_files_are_gone_are_not_missed(world):
    job_id = _failed_with_a_checkpoint(world)
    world.artifacts.remove(job_id)
    world.jobs.retry(ALICE, job_id, resume_from=None)
    world.run_once()

    assert world.is_running(job_id)
