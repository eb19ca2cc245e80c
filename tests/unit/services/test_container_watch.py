"""What is recorded of containers for those who cannot look for themselves."""

from __future__ import annotations

import threading

import pytest

from orchestrator.adapters.sql import SqlContainerStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.domain.container import ContainerState
from orchestrator.domain.errors import RuntimeUnavailable
from orchestrator.services.container_watch import ContainerWatch
from tests.unit.services.world import World
from tests.waiting import eventually


@pytest.fixture
def store(database: Database) -> SqlContainerStore:
    return SqlContainerStore(database)


@pytest.fixture
def watch(world: World, store: SqlContainerStore) -> ContainerWatch:
    return ContainerWatch(runtime=world.engine, store=store, clock=world.clock)


def test_a_running_container_is_shown_with_what_it_was_made_of_and_what_it_uses(
    world: World, watch: ContainerWatch, store: SqlContainerStore
) -> None:
    job_id = world.submit()
    world.run_once()
    watch.look()
    (first,) = store.list()
    assert (first.container.job_id, first.container.state) == (job_id, ContainerState.RUNNING)
    assert first.details is not None
    assert (first.details.image, len(first.details.mounts)) == ("training-image", 4)
    assert (first.cpu_percent, first.memory_bytes, first.pids) == (None, 1024**2, 1)
    world.clock.advance(5)
    watch.look()
    assert store.get(first.container.id).cpu_percent == 50


def test_one_that_ended_uses_nothing_and_one_that_is_gone_is_not_shown(
    world: World, watch: ContainerWatch, store: SqlContainerStore
) -> None:
    job_id = world.submit()
    world.run_once()
    watch.look()
    container_id = world.container(job_id).id
    world.exit(job_id, 1)
    watch.look()
    ended = store.get(container_id)
    assert (ended.container.state, ended.cpu_percent, ended.memory_bytes) == (ContainerState.EXITED, None, None)
    world.run_once()
    watch.look()
    assert list(store.list()) == []


def test_an_engine_that_does_not_answer_leaves_the_last_look(
    world: World, watch: ContainerWatch, store: SqlContainerStore
) -> None:
    world.submit()
    world.run_once()
    watch.look()
    before = store.list()
    world.engine.is_reachable = False
    with pytest.raises(RuntimeUnavailable):
        watch.look()
    assert store.list() == before


def test_the_keeper_goes_on_after_an_engine_that_did_not_answer(
    world: World, watch: ContainerWatch, store: SqlContainerStore
) -> None:
    world.submit()
    world.run_once()
    world.engine.is_reachable = False
    stop = threading.Event()
    rounds = iter(range(3))

    def is_leading() -> bool:
        if next(rounds) == 1:
            world.engine.is_reachable = True
            stop.set()
        return True

    keeper = threading.Thread(target=watch.run_until, args=(stop, is_leading), kwargs={"pause_seconds": 0.01})
    keeper.start()
    keeper.join(10)
    assert eventually(store.list)
