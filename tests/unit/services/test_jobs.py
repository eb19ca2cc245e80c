"""What a user does with jobs, and what they are told while they wait."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import Conflict, NotFound, Refused, Rejected
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.training import TrainingConfig
from orchestrator.ports.job_store import JobFilter, Submission
from tests.unit.services.world import ADMIN, ALICE, BOB, World


def test_a_submitted_job_is_queued_and_wakes_the_orchestrator(world):
    job = world.jobs.submit(ALICE, world.request(name="my cat", priority=1))

    assert (job.status, job.user_id, job.name, job.priority) == (JobStatus.QUEUED, "alice", "my cat", 1)
    assert world.wake_up.count == 1
    assert world.event_types(job.id) == ["status"]


def test_a_submission_that_is_repeated_is_the_same_job(world):
    request = world.request()

    first = world.jobs.submit(ALICE, request, Submission("key", "body"))

    assert world.jobs.submit(ALICE, request, Submission("key", "body")) == first
    with pytest.raises(Conflict):
        world.jobs.submit(ALICE, request, Submission("key", "other"))


def test_a_model_outside_the_catalogue_is_rejected_with_the_choices(world):
    with pytest.raises(Rejected, match="lorry/tiny-sd15") as rejected:
        world.jobs.submit(ALICE, world.request(base_model="evil/model"))

    assert rejected.value.code == "MODEL_NOT_ALLOWED"
    assert [violation.field for violation in rejected.value.details] == ["base_model"]


@pytest.mark.parametrize("verb", ["submit", "plan"])
def test_a_dataset_must_exist_and_be_the_callers_own(world, verb):
    act = getattr(world.jobs, verb)
    with pytest.raises(NotFound):
        act(ALICE, world.request(dataset_id="nothing"))
    with pytest.raises(Refused):
        act(BOB, world.request(dataset_id=world.dataset(ALICE)))
    assert world.store.list(JobFilter()).total == 0


def test_a_submission_is_decided_once_it_runs(world):
    world.run_once()
    job_id = world.submit()
    assert world.jobs.decided(job_id) is None

    world.run_once()
    assert world.jobs.decided(job_id).status is JobStatus.RUNNING


def test_a_submission_is_decided_when_its_user_has_no_slot(world):
    world.run_once()
    for _ in range(2):
        world.submit()
    world.run_once()

    assert world.jobs.decided(world.submit()).status is JobStatus.QUEUED


def test_a_submission_is_decided_when_there_is_no_device(database):
    world = World(database, devices=0)
    world.run_once()

    job_id = world.submit()

    assert world.jobs.decided(job_id).status is JobStatus.QUEUED
    assert world.jobs.get(ALICE, job_id).place.reason == "no GPU or CPU slot is free"


def test_before_the_first_pass_a_job_waits_for_an_orchestrator(world):
    job_id = world.submit()

    assert world.jobs.decided(job_id).status is JobStatus.QUEUED
    assert world.jobs.get(ALICE, job_id).place.reason == "no orchestrator has looked at the queue yet"


def test_a_submission_is_decided_when_its_launch_failed(world):
    dataset_id = world.dataset()
    job_id = world.submit(dataset_id=dataset_id)
    world.versions.remove(dataset_id)
    world.run_once()

    assert world.jobs.decided(job_id).is_launch_failure


def test_a_submission_is_decided_when_its_launch_will_be_tried_again(world):
    world.workspace.is_disk_full = True
    job_id = world.submit()
    world.run_once()

    decided = world.jobs.decided(job_id)
    assert decided.status is JobStatus.QUEUED
    assert "Tried again in" in decided.error_message


def test_a_plan_stores_nothing_and_says_what_would_happen(world):
    world.run_once()
    plan = world.jobs.plan(ALICE, world.request(dataset_id=world.dataset(items=10), config=TrainingConfig(steps=90)))

    assert (plan.train_count, plan.val_count, plan.total_epochs, plan.place) == (9, 1, 10, None)
    assert world.store.list(JobFilter()).total == 0
    assert world.wake_up.count == 0


def test_a_plan_for_a_user_at_the_limit_says_where_it_would_wait(world):
    for _ in range(2):
        world.submit()
    world.run_once()

    place = world.jobs.plan(ALICE, world.request()).place

    assert (place.position, "your limit of 2" in place.reason) == (1, True)


def test_another_users_job_does_not_exist(world):
    job_id = world.submit(ALICE)

    for act in (lambda: world.jobs.get(BOB, job_id), lambda: world.jobs.cancel(BOB, job_id, reason=None)):
        with pytest.raises(NotFound) as missing:
            act()
        assert missing.value.code == "JOB_NOT_FOUND"
    assert world.jobs.get(ADMIN, job_id).job.status is JobStatus.QUEUED


def test_a_list_holds_the_callers_own_jobs_whoever_it_asks_for(world):
    mine, _ = world.submit(ALICE), world.submit(BOB)

    page = world.jobs.list(ALICE, JobFilter(user_id="bob"), page=1, page_size=10)

    assert ([view.job.id for view in page.views], page.total) == ([mine], 1)


def test_only_waiting_jobs_have_a_place(world):
    for _ in range(3):
        world.submit()
    world.run_once()

    waiting, *running = world.jobs.list(ALICE, JobFilter(), page=1, page_size=10).views

    assert waiting.place.position == 1
    assert [view.place for view in running] == [None, None]


def test_cancelling_twice_is_fine_and_cancelling_an_ended_job_is_not(world):
    cancelled, completed = world.submit(), world.submit()
    world.cancel(cancelled)
    world.cancel(cancelled)
    world.run_once()
    world.complete(completed)
    world.run_once()

    with pytest.raises(Conflict, match="already ended as completed") as conflict:
        world.cancel(completed)
    assert conflict.value.code == "JOB_ENDED"
