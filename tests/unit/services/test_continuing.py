"""Jobs that go on from another's checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.adapters.memory import MemoryModelStore
from orchestrator.adapters.sql import SqlAuditLog
from orchestrator.domain.config_diff import Difference
from orchestrator.domain.errors import Conflict, NotFound, Rejected
from orchestrator.domain.job import FROM_SCRATCH
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.lineage import as_metadata
from orchestrator.domain.training import TrainingConfig
from orchestrator.ports.job_store import Submission
from orchestrator.services.reproduction import ContinueRequest
from tests.factories import make_model
from tests.unit.services.reproducing import reproduction_over
from tests.unit.services.world import ADMIN, ALICE, BOB

NEWEST = ContinueRequest()


def ended(world, *steps, is_cancelled=True, **changes):
    """A job with these checkpoints: one that was stopped, or one that took all its steps."""
    job_id = world.submit(config=TrainingConfig(steps=1_000), **changes)
    world.run_once()
    for step in steps:
        for name in ("manifest.json", "state.safetensors"):
            path = f"checkpoints/step-{step:06d}/{name}"
            world.workspace.outputs[job_id][path] = f"{step} {name}".encode()
        world.write_event(job_id, "checkpoint", step=step, path=f"checkpoints/step-{step:06d}")
    if is_cancelled:
        world.cancel(job_id)
        world.run_once()
        world.exit(job_id, 15)
    else:
        world.complete(job_id)
    world.run_once()
    assert world.job(job_id).status.is_final
    return job_id


def test_a_stopped_job_goes_on_in_a_new_one_that_begins_with_its_newest_checkpoint(world, reproduction):
    first = ended(world, 400, 437, name="cat", trigger_words=("sks",))
    found = reproduction.continue_(ALICE, first, NEWEST)
    world.run_once()

    job = world.job(found.job.id)
    assert (job.status, job.continues, job.continues_from, job.retry_of) == (
        JobStatus.RUNNING,
        first,
        "step-000437",
        None,
    )
    assert (job.config.steps, job.begins_after, job.progress.checkpoint_step) == (1_000, 437, 437)
    assert world.workspace.outputs[job.id] == {
        "checkpoints/step-000437/manifest.json": b"437 manifest.json",
        "checkpoints/step-000437/state.safetensors": b"437 state.safetensors",
    }
    before, after = world.workspace.configs[first], world.workspace.configs[job.id]
    own = {"job_id", "lineage", "continues_from"}
    assert {key: before[key] for key in before.keys() - own} == {key: after[key] for key in after.keys() - own}
    assert after["continues_from"] == "step-000437"
    assert "continues_from" not in before
    assert list(found.differences) == []


def test_a_completed_job_goes_on_with_as_many_steps_again_unless_told_otherwise(world, reproduction):
    first = ended(world, 500, 1_000, is_cancelled=False)

    assert reproduction.continue_(ALICE, first, NEWEST).job.config.steps == 2_000
    found = reproduction.continue_(ALICE, first, ContinueRequest(steps=1_200, checkpoint="step-000500"))
    assert (found.job.config.steps, found.job.begins_after) == (1_200, 500)
    assert list(found.differences) == [Difference("config.steps", 1_000, 1_200)]


def test_a_plan_says_the_same_and_stores_nothing(world, reproduction):
    first = ended(world, 437)
    plan = reproduction.plan_to_continue(ALICE, first, NEWEST)

    with pytest.raises(NotFound):
        world.job(plan.job.id)
    found = reproduction.continue_(ALICE, first, NEWEST)
    assert (plan.remarks, plan.differences) == (found.remarks, found.differences)
    assert replace(plan.job, id=found.job.id, version=found.job.version) == found.job


def test_the_lineage_and_the_adapter_file_tell_what_it_goes_on_from(world, reproduction):
    first = ended(world, 437)
    found = reproduction.continue_(ALICE, first, NEWEST)
    world.run_once()

    lineage = reproduction.lineage(ALICE, found.job.id).lineage
    assert (lineage.continues, lineage.continues_from) == (first, "step-000437")
    metadata = world.workspace.configs[found.job.id]["lineage"]
    assert metadata == as_metadata(lineage)
    assert (metadata["lorry.continues"], metadata["lorry.continues_from"]) == (first, "step-000437")


def test_a_continued_job_that_starts_over_starts_at_that_checkpoint_again(world, reproduction):
    first = ended(world, 437)
    job_id = reproduction.continue_(ALICE, first, NEWEST).job.id
    world.run_once()
    world.exit(job_id, 70)
    world.run_once()
    world.jobs.retry(ALICE, job_id, resume_from=FROM_SCRATCH)

    assert (world.job(job_id).resume_from, world.job(job_id).progress.checkpoint_step) == ("step-000437", 437)


@pytest.mark.parametrize("has_outputs", [True, False])
def test_a_second_attempt_begins_with_what_the_first_left_or_with_that_checkpoint(world, reproduction, has_outputs):
    first = ended(world, 437)
    job_id = reproduction.continue_(ALICE, first, NEWEST).job.id
    world.run_once()
    if not has_outputs:
        world.workspace.outputs[job_id].clear()
    world.exit(job_id, 137)
    world.run_once()
    world.run_once(after_seconds=60)

    assert world.is_running(job_id)
    assert "checkpoints/step-000437/state.safetensors" in world.workspace.outputs[job_id]


def test_a_checkpoint_that_is_gone_when_the_job_starts_fails_it_with_its_name(world, reproduction):
    first = ended(world, 437)
    job_id = reproduction.continue_(ALICE, first, NEWEST).job.id
    world.artifacts.remove(first)
    world.run_once()

    job = world.job(job_id)
    assert (job.status, job.end_reason) == (JobStatus.FAILED, EndReason.CHECKPOINT_MISSING)
    assert f"It was step-000437 of {first}." in job.error_message


@pytest.mark.parametrize("wanted", [None, "step-000999"])
def test_without_that_checkpoint_a_job_is_not_continued(world, reproduction, wanted):
    first = ended(world, *([] if wanted is None else [437]))
    with pytest.raises(Rejected) as refused:
        reproduction.continue_(ALICE, first, ContinueRequest(checkpoint=wanted))
    assert (refused.value.code, refused.value.details[0].field) == ("CHECKPOINT_NOT_FOUND", "from_checkpoint")


def test_a_job_that_has_not_ended_is_not_continued(world, reproduction):
    with pytest.raises(Conflict) as refused:
        reproduction.continue_(ALICE, world.submit(), NEWEST)
    assert refused.value.code == "JOB_NOT_ENDED"


def test_with_another_base_model_the_checkpoint_is_of_no_use(world):
    first = ended(world, 437)
    later = reproduction_over(world, MemoryModelStore([make_model(revision="builtin-2")]))
    with pytest.raises(Conflict) as refused:
        later.continue_(ALICE, first, NEWEST)
    assert refused.value.code == "BASE_MODEL_CHANGED"


def test_anothers_job_is_not_found_and_an_admins_continuation_is_the_owners_and_on_record(
    world, reproduction, database
):
    first = ended(world, 437)
    before = SqlAuditLog(database).list().entries
    with pytest.raises(NotFound):
        reproduction.continue_(BOB, first, NEWEST)

    job = reproduction.continue_(ADMIN, first, NEWEST).job
    assert job.user_id == "alice"
    entry = SqlAuditLog(database).list().entries[0]
    assert entry not in before
    assert (entry.actor, entry.action, entry.message) == ("root", "job_continued", f"Continued as job {job.id}.")


def test_a_continuation_sent_twice_is_one(world, reproduction):
    first = ended(world, 437)
    once, again = (reproduction.continue_(ALICE, first, NEWEST, Submission("key", "body")) for _ in range(2))
    assert once.job.id == again.job.id


def test_only_the_steps_it_takes_count_for_what_its_end_saved_and_not_for_the_estimates_of_others(world, reproduction):
    first = ended(world, 600)
    job_id = reproduction.continue_(ALICE, first, NEWEST).job.id
    world.run_once()
    world.write_event(job_id, "progress", step=800, total_steps=1_000, progress=80)
    world.run_once(after_seconds=99)
    world.cancel(job_id)
    world.run_once()
    world.exit(job_id, 15)
    world.run_once(after_seconds=99)

    saved = world.jobs.get(ALICE, job_id).saved
    assert saved is not None
    assert (saved.steps, saved.seconds) == (200, pytest.approx(200, rel=0.1))  # as many as it took itself
