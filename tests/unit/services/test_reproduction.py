"""Where an adapter came from, making it once more, and what two jobs have different."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import MemoryModelStore
from orchestrator.adapters.sql import SqlAuditLog
from orchestrator.domain.config_diff import Difference
from orchestrator.domain.errors import Conflict, NotFound, Rejected
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.lineage import as_metadata
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.training import TrainingConfig
from orchestrator.ports.job_store import Submission
from tests.factories import make_model
from tests.unit.services.reproducing import reproduction_over
from tests.unit.services.world import ADMIN, ALICE, BOB


@pytest.fixture
def audit_log(database):
    return SqlAuditLog(database)


def completed(world, **changes):
    job_id = world.submit(**changes)
    world.run_once()
    world.complete(job_id)
    world.run_once()
    assert world.job(job_id).status is JobStatus.COMPLETED
    return job_id


def test_the_lineage_is_what_the_trainer_was_given_to_write_into_the_file(world, reproduction):
    job_id = completed(world, name="my cat", trigger_words=("sks",))

    view = reproduction.lineage(ALICE, job_id)
    assert as_metadata(view.lineage) == world.workspace.configs[job_id]["lineage"]
    assert (view.lineage.model_name, view.lineage.model_version) == ("my cat", 1)
    assert [attempt.number for attempt in view.attempts] == [1]


def test_a_completed_jobs_lineage_ends_with_its_registered_version(world, reproduction):
    job_id = completed(world, name="my cat")

    (version,) = world.registry.versions("alice", "my cat")
    (adapter,) = [file for file in world.records.artifacts(job_id) if file.kind == "adapter"]
    assert (version.job_id, version.artifact_id) == (job_id, adapter.id)
    assert reproduction.lineage(ALICE, job_id).lineage.adapter_sha256 == adapter.sha256 == version.sha256


def test_a_failed_jobs_version_is_not_registered_and_its_retry_has_the_same_number(world, reproduction):
    job_id = world.submit(name="cat")
    world.run_once()
    world.exit(job_id, 10)
    world.run_once()
    assert reproduction.lineage(ALICE, job_id).lineage.adapter_sha256 is None
    assert list(world.registry.versions("alice", "cat")) == []

    world.jobs.retry(ALICE, job_id, resume_from=None)
    world.run_once()
    lineage = reproduction.lineage(ALICE, job_id).lineage
    assert (lineage.attempt, lineage.model_version) == (2, 1)


def test_what_a_lack_of_memory_changed_is_told(world, reproduction):
    job_id = world.submit()
    world.run_once()
    world.exit(job_id, 13)
    world.run_once()
    world.run_once(after_seconds=600)

    view = reproduction.lineage(ALICE, job_id)
    assert view.lineage.memory_profile is MemoryProfile.CHECKPOINTING
    assert [(each.memory_profile, each.end_reason) for each in view.attempts] == [
        (MemoryProfile.NORMAL, EndReason.GPU_OUT_OF_MEMORY),
        (MemoryProfile.CHECKPOINTING, None),
    ]


def test_the_items_are_known_when_the_dataset_is_gone(world, reproduction):
    job_id = completed(world)
    before = reproduction.lineage(ALICE, job_id).lineage.items
    world.datasets.remove(world.job(job_id).dataset_id)
    world.versions.remove(world.job(job_id).dataset_id)

    assert reproduction.lineage(ALICE, job_id).lineage.items == before != ()


def test_a_job_that_was_never_launched_has_no_lineage(world, reproduction):
    with pytest.raises(NotFound) as missing:
        reproduction.lineage(ALICE, world.submit())
    assert missing.value.code == "LINEAGE_NOT_FOUND"


def test_a_rerun_trains_on_the_same_with_the_same_and_nothing_differs(world, reproduction):
    job_id = completed(world, name="cat", config=TrainingConfig(seed=7), trigger_words=("sks",))
    dataset_id = world.job(job_id).dataset_id
    rerun = reproduction.rerun(ALICE, job_id)
    world.run_once()

    assert list(rerun.differences) == []
    assert rerun.job.retry_of == job_id
    first, second = world.workspace.configs[job_id], world.workspace.configs[rerun.job.id]
    own = {"job_id", "lineage"}
    assert {key: first[key] for key in first.keys() - own} == {key: second[key] for key in second.keys() - own}
    changed = {key for key in first["lineage"] if first["lineage"][key] != second["lineage"][key]}
    assert changed == {"lorry.job_id", "lorry.model_version"}
    assert world.job(rerun.job.id).dataset_id == dataset_id


def test_a_rerun_is_of_the_dataset_as_it_was(world, reproduction):
    job_id = completed(world)
    dataset_id = world.job(job_id).dataset_id
    (item,) = world.datasets.items(dataset_id)
    world.datasets.change_item(dataset_id, item.id, {"caption": "another"}, at=world.clock.now())

    rerun = reproduction.rerun(ALICE, job_id)
    assert rerun.job.dataset_sha256 == world.job(job_id).dataset_sha256


def test_a_rerun_keeps_what_a_lack_of_memory_had_changed(world, reproduction):
    job_id = world.submit()
    world.run_once()
    world.exit(job_id, 13)
    world.run_once()
    world.run_once(after_seconds=600)
    world.complete(job_id)
    world.run_once()

    assert reproduction.rerun(ALICE, job_id).job.memory_profile is MemoryProfile.CHECKPOINTING


def test_an_image_and_a_base_model_that_changed_are_named(world, reproduction):
    job_id = completed(world)
    lineage = reproduction.lineage(ALICE, job_id).lineage
    world.engine.images["training-image"] = "sha256:another"
    world.run_once(after_seconds=60)

    later = reproduction_over(world, MemoryModelStore([make_model(revision="builtin-2")]))
    assert list(later.rerun(ALICE, job_id).differences) == [
        Difference("base_model_revision", "builtin-1", "builtin-2"),
        Difference("image_digest", lineage.image_digest, "sha256:another"),
    ]


def test_a_job_that_has_not_ended_is_not_run_once_more(world, reproduction):
    with pytest.raises(Conflict) as refused:
        reproduction.rerun(ALICE, world.submit())
    assert refused.value.code == "JOB_NOT_ENDED"


def test_a_job_of_a_deleted_dataset_is_not_run_once_more(world, reproduction):
    job_id = completed(world)
    world.versions.remove(world.job(job_id).dataset_id)

    with pytest.raises(Conflict) as refused:
        reproduction.rerun(ALICE, job_id)
    assert refused.value.code == "DATASET_VERSION_GONE"


def test_a_rerun_sent_twice_is_one(world, reproduction):
    job_id = completed(world)
    once, again = (reproduction.rerun(ALICE, job_id, Submission("key", "body")) for _ in range(2))

    assert once.job.id == again.job.id


def test_an_admins_rerun_is_the_owners_job_and_on_record(world, reproduction, audit_log):
    job_id = completed(world)
    rerun = reproduction.rerun(ADMIN, job_id)

    assert rerun.job.user_id == "alice"
    (entry,) = audit_log.list().entries
    assert (entry.actor, entry.action, entry.subject) == ("root", "job_rerun", job_id)
    assert entry.data == {"owner": "alice", "job_id": rerun.job.id}


def test_two_jobs_are_compared_setting_by_setting(world, reproduction):
    dataset_id = world.dataset()
    one = completed(world, dataset_id=dataset_id)
    other = completed(world, dataset_id=dataset_id, config=TrainingConfig(seed=7, steps=200))

    assert list(reproduction.diff(ALICE, one, other)) == [
        Difference("config.steps", 1000, 200),
        Difference("config.seed", 42, 7),
    ]
    assert list(reproduction.diff(ALICE, one, one)) == []


def test_a_launched_job_knows_more_than_a_waiting_one(world, reproduction):
    dataset_id = world.dataset()
    one, other = completed(world, dataset_id=dataset_id), world.submit(dataset_id=dataset_id)

    found = {difference.field: difference.after for difference in reproduction.diff(ALICE, one, other)}
    assert found == {"base_model_revision": None, "image_digest": None, "memory_profile": None}


def test_only_ones_own_jobs_are_compared(world, reproduction):
    mine, theirs = world.submit(), world.submit(BOB)

    with pytest.raises(NotFound):
        reproduction.diff(ALICE, mine, theirs)


def test_a_job_whose_base_model_left_the_catalogue_is_not_run_once_more(world):
    job_id = completed(world)

    with pytest.raises(Rejected) as refused:
        reproduction_over(world, MemoryModelStore([])).rerun(ALICE, job_id)
    assert refused.value.code == "MODEL_NOT_ALLOWED"
