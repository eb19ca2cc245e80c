"""What those who wait are told: their place, what holds them, and when it will be their turn."""

from __future__ import annotations

import pytest

from orchestrator.adapters.sql import SqlJobStore
from orchestrator.domain.errors import Rejected
from orchestrator.domain.training import TrainingConfig
from tests.unit.services.world import ALICE, BOB, World


@pytest.fixture
def world(database):
    """One device and an orchestrator at work."""
    world = World(database, devices=1)
    world.run_once()
    return world


def _running(world, owner=ALICE, **changes):
    job_id = world.submit(owner, **changes)
    world.run_once()
    assert world.is_running(job_id)
    return job_id


def _completed(world, *, steps, seconds):
    """One job's worth of experience."""
    job_id = _running(world, BOB)
    world.write_event(job_id, "progress", step=steps, total_steps=steps)
    world.run_once(after_seconds=seconds)
    world.complete(job_id)
    world.run_once(after_seconds=0)


def _told(world, identity=ALICE):
    return [(place.position, place.reason, place.eta_seconds) for place in world.queue.look(identity).places.values()]


def test_everybody_sees_their_own_jobs_and_how_many_others_wait(world):
    running = _running(world)
    world.write_event(running, "progress", step=10, total_steps=100, eta_seconds=90.0)
    theirs, mine = world.submit(BOB), world.submit(ALICE)
    world.run_once()

    view = world.queue.look(ALICE)

    assert list(view.places) == [mine]
    assert _told(world) == [(2, "no GPU or CPU slot is free", None)]
    assert _told(world, BOB) == [(1, "no GPU or CPU slot is free", 90.0)]
    assert (view.waiting, view.active, view.devices, view.free_devices) == (2, 1, 1, 0)
    assert (view.problem, view.unreachable_since, view.suspect_devices) == (None, None, 0)
    assert list(world.queue.look(BOB).places) == [theirs]


def test_jobs_ahead_are_counted_at_the_pace_of_jobs_that_completed_here(world):
    _completed(world, steps=100, seconds=50)
    running = _running(world)
    world.write_event(running, "progress", step=10, total_steps=100, eta_seconds=90.0)
    world.submit(BOB, config=TrainingConfig(steps=200))
    world.submit(ALICE)
    world.run_once()

    (place,) = world.queue.look(ALICE).places.values()

    assert place.eta_seconds == pytest.approx(90 + 200 * 0.5, rel=0.05)


def test_several_jobs_that_completed_here_tell_how_sure_a_time_is_and_since_when_it_is_waited(world):
    for seconds in (40, 50, 80):
        _completed(world, steps=100, seconds=seconds)
    running = _running(world)
    world.write_event(running, "progress", step=10, total_steps=100, eta_seconds=90.0)
    waiting = world.submit(ALICE)
    world.run_once()

    place = world.jobs.get(ALICE, waiting).place

    assert place.waiting_since == world.job(waiting).created_at
    assert place.wait.low_seconds < place.wait.eta_seconds == 90.0 < place.wait.high_seconds
    assert (place.hold.explanation, place.hold.freed_by[:18]) == ("The only CPU slot is taken.", "A running job ends")


def test_an_engine_that_is_away_is_the_reason_of_everybody(world):
    _running(world)
    world.submit(BOB), world.submit()
    world.engine.is_reachable = False
    world.run_once()

    view = world.queue.look(ALICE)

    assert view.problem.startswith("the Docker Engine has not answered since 2026-")
    assert _told(world) == [(2, view.problem, None)]
    assert _told(world, BOB) == [(1, view.problem, None)]
    assert view.unreachable_since is not None


def test_an_orchestrator_that_is_gone_is_the_reason_too(world):
    job_id = world.submit()
    world.clock.advance(61)

    assert world.queue.look(ALICE).places[job_id].reason.startswith("no orchestrator has looked at the queue since 20")
    assert world.queue.must_wait(world.job(job_id))


def test_a_job_whose_turn_has_come_says_so(world):
    world.submit()

    assert _told(world) == [(1, "its turn has come: it starts in a moment", 0.0)]


def test_suspect_devices_are_counted(world):
    world.records.mark_suspect(["cpu-0"], reason="It failed.", job_id="some job", at=world.clock.now())

    assert world.queue.look(ALICE).suspect_devices == 1


def test_a_submission_that_cannot_start_is_told_so_without_reading_the_queue(world, database):
    class Unread(SqlJobStore):
        def queue(self):
            raise AssertionError("the whole queue was read")

    queue = world.new_queue(Unread(database))
    _running(world)

    assert queue.must_wait(world.job(world.submit()))


def test_a_job_behind_others_on_a_free_device_waits_for_them(world):
    first, second = world.submit(BOB), world.submit(ALICE)

    assert not world.queue.must_wait(world.job(first))
    assert world.queue.must_wait(world.job(second))


def test_more_gpus_than_there_are_is_refused_at_once_and_waits_when_the_machine_shrank(world):
    with pytest.raises(Rejected, match="asks for 2 GPUs, but this machine has 1") as rejected:
        world.jobs.submit(ALICE, world.request(gpus=2))
    assert rejected.value.code == "TOO_MANY_GPUS"
    assert [violation.field for violation in rejected.value.details] == ["gpus"]

    world.devices.append("cpu-1")
    world.restarted()
    world.run_once()
    job_id = world.submit(gpus=2)
    world.devices.pop()
    world.restarted()
    world.run_once()
    assert world.queue.look(ALICE).places[job_id].reason == "needs 2 CPU slots, this machine has 1"


def test_a_plan_of_a_job_that_would_wait_says_for_what_and_how_long(world):
    running = _running(world, BOB)
    world.write_event(running, "progress", step=10, total_steps=100, eta_seconds=90.0)
    world.run_once()

    place = world.jobs.plan(ALICE, world.request()).place

    assert (place.position, place.reason, place.eta_seconds) == (1, "no GPU or CPU slot is free", 90.0)
