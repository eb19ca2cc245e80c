"""Jobs whose pictures lie in an object store and not on this disk."""

from __future__ import annotations

import uuid

import pytest

from orchestrator.domain.dataset import DatasetVersion
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.storage import picture_key
from orchestrator.services.staging import TRY_AGAIN_AFTER
from tests.unit.services.world import ALICE, MIN_FREE_BYTES, PICTURE, World

OWNER = Identity(str(uuid.uuid4()))
PATIENCE = TRY_AGAIN_AFTER.total_seconds()


@pytest.fixture
def away(world: World) -> str:
    """A dataset of three pictures that are in Storage alone."""
    dataset_id = world.dataset(OWNER, items=3)
    for item in world.datasets.items(dataset_id):
        world.objects.objects[picture_key(OWNER.user_id, dataset_id, item.file_name)] = PICTURE
    del world.files.files[dataset_id]
    return dataset_id


def reason(world: World, job_id: str) -> str:
    view = world.jobs.get(OWNER, job_id)
    assert view.place is not None
    return view.place.reason


def settle(world: World, job_id: str) -> Job:
    """The job after two passes: one holds it and fetches, one starts it."""
    for _ in range(3):
        world.run_once()
    return world.store.get(job_id)


def test_a_job_starts_once_its_pictures_are_here(world: World, away: str) -> None:
    job_id = world.submit(OWNER, dataset_id=away)
    assert settle(world, job_id).status is JobStatus.RUNNING
    assert {name for name in world.files.files[away] if "/" not in name} == {"00001.png", "00002.png", "00003.png"}


def test_while_they_are_fetched_it_waits_and_says_so_without_a_slot(world: World, away: str) -> None:
    world.objects.is_away = True
    job_id = world.submit(OWNER, dataset_id=away)
    world.run_once()
    assert "being fetched from Storage" in reason(world, job_id)
    job = world.store.get(job_id)
    assert (job.status, job.slot, job.attempt) == (JobStatus.QUEUED, None, 0)


def test_a_held_job_keeps_no_other_from_starting(world: World, away: str) -> None:
    world.devices[:] = ["cpu-0"]
    world.restarted()
    world.objects.is_away = True
    held, other = world.submit(OWNER, dataset_id=away), world.submit(ALICE)
    settle(world, held)
    assert world.store.get(held).status is JobStatus.QUEUED
    assert world.store.get(other).status is JobStatus.RUNNING


def test_an_outage_is_waited_out_however_long_and_costs_no_attempt(world: World, away: str) -> None:
    world.objects.is_away = True
    job_id = world.submit(OWNER, dataset_id=away)
    for _ in range(50):
        world.run_once(after_seconds=PATIENCE)
    assert "tried again at" in reason(world, job_id)
    assert "did not answer" in reason(world, job_id)
    world.objects.is_away = False
    world.run_once(after_seconds=PATIENCE + 1)
    job = settle(world, job_id)
    assert (job.status, job.attempt, job.retries) == (JobStatus.RUNNING, 1, 0)


def test_an_outage_is_not_asked_about_in_every_pass(world: World, away: str) -> None:
    world.objects.is_away = True
    job_id = world.submit(OWNER, dataset_id=away)
    settle(world, job_id)
    version = world.store.get(job_id).version
    for _ in range(5):
        world.run_once()
    assert world.store.get(job_id).version == version


def test_a_connection_that_is_lost_is_gone_on_from(world: World, away: str) -> None:
    world.objects.cut_after = 10
    job_id = world.submit(OWNER, dataset_id=away)
    settle(world, job_id)
    assert "connection was lost" in reason(world, job_id)
    world.objects.cut_after = None
    world.run_once(after_seconds=PATIENCE)
    assert settle(world, job_id).status is JobStatus.RUNNING


def test_a_picture_that_is_gone_ends_the_job_with_its_name(world: World, away: str) -> None:
    del world.objects.objects[picture_key(OWNER.user_id, away, "00002.png")]
    job = settle(world, world.submit(OWNER, dataset_id=away))
    assert (job.status, job.end_reason) == (JobStatus.FAILED, EndReason.DATASET_MISSING)
    assert "00002.png" in (job.error_message or "")
    [event] = [event for event in world.records.events(job.id) if event.new_status == JobStatus.FAILED]
    assert event.message == job.error_message


def test_a_picture_that_was_changed_behind_our_back_ends_the_job(world: World, away: str) -> None:
    world.objects.objects[picture_key(OWNER.user_id, away, "00001.png")] = PICTURE[:-1] + b"x"
    job = settle(world, world.submit(OWNER, dataset_id=away))
    assert job.end_reason is EndReason.DATASET_MISSING
    assert "not the one that was uploaded" in (job.error_message or "")


def test_jobs_of_equal_content_share_what_was_fetched(world: World, away: str) -> None:
    first, second = (world.submit(OWNER, dataset_id=away) for _ in range(2))
    settle(world, first)
    world.objects.objects.clear()
    assert settle(world, second).status is JobStatus.RUNNING


def test_only_what_the_job_trains_on_is_fetched(world: World, away: str) -> None:
    rejected, *_ = world.datasets.items(away)
    world.datasets.change_item(away, rejected.id, {"prohibited_uses": ("training",)}, at=world.clock.now())
    settle(world, world.submit(OWNER, dataset_id=away))
    assert rejected.file_name not in world.files.files[away]


def test_room_is_looked_for_before_anything_is_fetched(world: World, away: str) -> None:
    job_id = world.submit(OWNER, dataset_id=away)
    world.disk.free = MIN_FREE_BYTES + 10
    settle(world, job_id)
    assert "of disk" in reason(world, job_id)
    assert away not in world.files.files
    world.disk.free = 2 * MIN_FREE_BYTES
    world.run_once(after_seconds=PATIENCE)
    assert settle(world, job_id).status is JobStatus.RUNNING


def test_a_dataset_beyond_the_limit_is_not_fetched(world: World, away: str) -> None:
    world.max_dataset_bytes = 3 * len(PICTURE) - 1
    world.restarted()
    job_id = world.submit(OWNER, dataset_id=away)
    settle(world, job_id)
    assert "LORRY_MAX_UPLOAD_BYTES" in reason(world, job_id)
    assert away not in world.files.files


def test_a_job_cancelled_while_it_is_held_ends_at_once_and_stays_ended(world: World, away: str) -> None:
    world.objects.is_away = True
    job_id = world.submit(OWNER, dataset_id=away)
    settle(world, job_id)
    world.cancel(job_id)
    world.objects.is_away = False
    world.run_once(after_seconds=PATIENCE)
    assert world.store.get(job_id).status is JobStatus.CANCELLED


def test_a_restart_goes_on_with_what_is_held(world: World, away: str) -> None:
    world.objects.is_away = True
    job_id = world.submit(OWNER, dataset_id=away)
    settle(world, job_id)
    world.objects.is_away = False
    world.restarted()
    assert settle(world, job_id).status is JobStatus.RUNNING


def test_pictures_of_a_user_whom_only_lorry_knows_are_never_looked_for_in_storage(world: World) -> None:
    dataset_id = world.dataset(ALICE)
    del world.files.files[dataset_id]
    job = settle(world, world.submit(ALICE, dataset_id=dataset_id))
    assert job.end_reason is EndReason.DATASET_MISSING


def test_a_held_job_loses_nothing_of_its_waiting(world: World, away: str) -> None:
    world.objects.is_away = True
    job_id = world.submit(OWNER, dataset_id=away)
    before = world.store.get(job_id).updated_at
    settle(world, job_id)
    assert world.store.get(job_id).updated_at == before


def test_a_trouble_nobody_foresaw_puts_the_job_off_and_stops_no_pass(world: World, away: str) -> None:
    def fetch(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    world.objects.fetch = fetch  # type: ignore[method-assign]
    held, other = world.submit(OWNER, dataset_id=away), world.submit(ALICE)
    settle(world, held)
    assert world.store.get(other).status is JobStatus.RUNNING
    assert world.store.get(held).status is JobStatus.QUEUED


def test_the_version_that_was_submitted_is_what_is_launched(world: World, away: str) -> None:
    job_id = world.submit(OWNER, dataset_id=away)
    job = settle(world, job_id)
    assert job.dataset_sha256 is not None
    version: DatasetVersion = world.versions.get(away, job.dataset_sha256)
    top = f"versions/{version.sha256}/"
    assert {name.removeprefix(top) for name in world.files.files[away] if name.startswith(top)} >= {
        item.file_name for item in version.items
    }
