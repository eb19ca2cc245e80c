"""Which jobs a pass starts, and how a GPU that fails is kept out of their way."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import FixedInventory
from orchestrator.adapters.sql import SqlJobStore
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.scheduling import SchedulingPolicy
from orchestrator.services.schedule import Schedule
from tests.unit.services.world import BOB, World


class WatchedStore(SqlJobStore):
    """Counts reads of the queue, and lets something happen right after one."""

    reads = 0

    def meanwhile(self) -> None:
        """Nothing."""

    def queue(self):
        self.reads += 1
        found = super().queue()
        self.meanwhile()
        return found


@pytest.fixture
def store(database):
    return WatchedStore(database)


@pytest.fixture
def schedule(world, store):
    return Schedule(
        jobs=store,
        records=world.records,
        inventory=FixedInventory(["GPU-0", "GPU-1"]),
        clock=world.clock,
        policy=SchedulingPolicy(max_active_per_user=2),
        model_holds=world.model_holds,
        staging=world.staging(),
    )


@pytest.fixture
def gpus(database):
    """A world of two GPUs whose driver works."""
    world = World(database)
    world.devices[:] = ["GPU-0", "GPU-1"]
    world.engine.has_gpu_driver = True
    world.restarted()
    return world


def _suspects(world):
    return [suspect.device for suspect in world.records.suspect_devices()]


def test_the_jobs_that_start_come_whole_with_slot_and_devices(world, schedule):
    first = world.submit()
    world.submit(gpus=2)
    third = world.submit(BOB)

    assert [(start.job, start.slot, start.devices) for start in schedule.starts()] == [
        (world.job(first), 1, ("GPU-0",)),
        (world.job(third), 1, ("GPU-1",)),
    ]


def test_an_empty_queue_starts_nothing(schedule):
    assert list(schedule.starts()) == []


def test_a_job_cancelled_while_the_pass_plans_is_left_out(world, store, schedule):
    cancelled, other = world.submit(), world.submit()
    store.meanwhile = lambda: world.cancel(cancelled)

    assert [start.job.id for start in schedule.starts()] == [other]


def test_while_every_device_is_taken_the_queue_is_not_even_read(gpus, store, schedule):
    for _ in range(3):
        gpus.submit()
    gpus.run_once()

    assert (list(schedule.starts()), store.reads) == ([], 0)


def test_a_job_of_two_gpus_holds_both(gpus):
    job_id = gpus.submit(gpus=2)
    gpus.run_once()

    assert gpus.job(job_id).gpu_ids == ("GPU-0", "GPU-1")
    assert gpus.store.leased_devices() == {"GPU-0", "GPU-1"}


def test_a_gpu_that_fails_a_job_is_suspect_and_the_retry_gets_the_other(gpus):
    gpus.engine.broken_devices.add("GPU-0")
    job_id = gpus.submit()
    gpus.run_once()

    assert gpus.job(job_id).status is JobStatus.QUEUED
    assert [(each.device, each.reason, each.job_id) for each in gpus.records.suspect_devices()] == [
        ("GPU-0", "The GPU or its driver failed.", job_id)
    ]
    gpus.run_once(after_seconds=20)
    assert (gpus.job(job_id).status, gpus.job(job_id).gpu_ids) == (JobStatus.RUNNING, ("GPU-1",))
    gpus.complete(job_id)
    gpus.run_once()
    assert _suspects(gpus) == ["GPU-0"]


def test_a_suspect_gpu_is_trusted_again_once_a_job_completes_on_it(gpus):
    gpus.records.mark_suspect(["GPU-0"], reason="It failed.", job_id="some job", at=gpus.clock.now())
    first, second = gpus.submit(), gpus.submit()
    gpus.run_once()
    assert [gpus.job(job_id).gpu_ids for job_id in (first, second)] == [("GPU-1",), ("GPU-0",)]

    gpus.exit(second, 1)
    gpus.run_once()
    assert _suspects(gpus) == ["GPU-0"], "a trainer's own error says nothing about the GPU"

    third = gpus.submit()
    gpus.run_once()
    gpus.complete(third)
    gpus.run_once()
    assert (gpus.job(third).status, _suspects(gpus)) == (JobStatus.COMPLETED, [])
