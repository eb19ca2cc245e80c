"""What administrators decided holds from the next pass on."""

from __future__ import annotations

import pytest

from orchestrator.adapters.sql import SqlContainerStore, SqlControlStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.services.admin import Admin
from orchestrator.services.container_watch import ContainerWatch
from orchestrator.services.containers import Containers
from tests.unit.services.world import ADMIN, ALICE, BOB, World


@pytest.fixture
def admin(world: World, database: Database) -> Admin:
    return Admin(
        store=SqlControlStore(database),
        jobs=world.store,
        records=world.records,
        queue=world.queue,
        wake_up=world.wake_up,
        clock=world.clock,
    )


def test_in_maintenance_what_runs_goes_on_and_nothing_starts_until_it_ends(world: World, admin: Admin) -> None:
    running = world.submit(ALICE)
    world.run_once()
    admin.begin_maintenance(ADMIN, "a new disk")
    waiting = world.submit(BOB)
    world.run_once()
    assert world.is_running(running)
    assert world.job(waiting).status is JobStatus.QUEUED
    assert world.queue.places([world.job(waiting)])[waiting].reason == "maintenance: a new disk"
    admin.end_maintenance(ADMIN)
    world.run_once()
    assert world.is_running(waiting)


def test_a_users_own_limit_holds_instead_of_the_installations(world: World, admin: Admin) -> None:
    admin.set_limit(ADMIN, ALICE.user_id, 3)
    admin.set_limit(ADMIN, BOB.user_id, 0)
    alices = [world.submit(ALICE) for _ in range(4)]
    bobs = world.submit(BOB)
    world.run_once()
    assert [world.job(job_id).slot for job_id in alices] == [1, 2, 3, None]
    assert world.job(bobs).status is JobStatus.QUEUED
    admin.set_limit(ADMIN, BOB.user_id, None)
    world.run_once()
    assert world.is_running(bobs)


def test_a_lower_limit_lets_what_runs_go_on_and_starts_no_more(world: World, admin: Admin) -> None:
    first, second, third = (world.submit(ALICE) for _ in range(3))
    world.run_once()
    admin.set_limit(ADMIN, ALICE.user_id, 1)
    world.complete(first)
    world.run_once()
    assert world.is_running(second)
    assert world.job(third).status is JobStatus.QUEUED


def test_a_container_that_an_administrator_stops_ends_as_a_cancelled_job(world: World, database: Database) -> None:
    store = SqlContainerStore(database)
    job_id = world.submit(ALICE)
    world.run_once()
    ContainerWatch(runtime=world.engine, store=store, clock=world.clock).look()
    containers = Containers(
        store=store, jobs=world.store, workspace=world.workspace, wake_up=world.wake_up, clock=world.clock
    )
    containers.stop(ADMIN, world.container(job_id).id, reason="too hot")
    for _ in range(2):
        world.run_once()
    assert (world.job(job_id).status, world.job(job_id).cancel_reason) == (JobStatus.CANCELLED, "too hot")
    assert world.containers() == []
