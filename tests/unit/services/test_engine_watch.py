"""An engine that is asked ever more rarely while it is silent, and what the rest of Lorry hears about it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from orchestrator.adapters.memory import FixedInventory
from orchestrator.domain.engine import EngineFacts
from orchestrator.services.engine_watch import LONGEST_PAUSE_SECONDS, STATUS_SECONDS, EngineWatch
from tests.unit.services.world import MIN_FREE_BYTES


class Watched:
    """The world's engine, counting how often it is asked; `hangs_seconds` is what an answer that never comes costs."""

    def __init__(self, world):
        self._engine = world.engine
        self._clock = world.clock
        self.hangs_seconds = 0.0
        self.asked_at = []

    def snapshot(self):
        self.asked_at.append(self._clock.now())
        self._clock.advance(self.hangs_seconds)
        return self._engine.snapshot()

    def __getattr__(self, name):
        return getattr(self._engine, name)


@pytest.fixture
def engine(world):
    return Watched(world)


@pytest.fixture
def watch(world, engine):
    return EngineWatch(
        records=world.records,
        runtime=engine,
        inventory=FixedInventory(world.devices),
        disk=world.disk,
        clock=world.clock,
        image="training-image",
        min_free_bytes=MIN_FREE_BYTES,
    )


def look_for(world, watch, seconds, *, every=0.05):
    """A pass every `every` seconds of the world's clock."""
    end = world.clock.now() + timedelta(seconds=seconds)
    while world.clock.now() < end:
        watch.look()
        world.clock.advance(every)


def pauses(engine):
    return [(later - earlier).total_seconds() for earlier, later in pairwise(engine.asked_at)]


def test_the_pauses_of_a_silent_engine_double_up_to_a_limit(world, engine, watch):
    world.engine.is_reachable = False

    look_for(world, watch, 60)

    expected = [0.25, 0.5, 1, 2, 4, 8, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    for pause, wanted in zip(pauses(engine), expected, strict=False):
        assert 0.9 * wanted <= pause <= 1.1 * wanted + 0.05


def test_a_hanging_engine_takes_a_small_part_of_the_time(world, engine, watch):
    """What a hang costs is counted before the pause, so the pause is a pause."""
    world.engine.is_reachable = False
    engine.hangs_seconds = 2.0

    look_for(world, watch, 600)

    assert 0 < len(engine.asked_at) * engine.hangs_seconds < 600 / 4


def test_the_first_answer_ends_the_pauses(world, engine, watch):
    world.engine.is_reachable = False
    look_for(world, watch, 60)
    world.engine.is_reachable = True
    look_for(world, watch, LONGEST_PAUSE_SECONDS * 1.1)
    engine.asked_at.clear()

    look_for(world, watch, 1, every=0.05)
    world.engine.is_reachable = False
    world.clock.advance(1)
    look_for(world, watch, 0.4)

    assert len(engine.asked_at) == 20 + 2


def test_since_when_it_is_silent_stays_the_first_failure(world, watch):
    watch.look()
    world.engine.is_reachable = False
    world.clock.advance(1)
    silent_since = world.clock.now()
    look_for(world, watch, 30)

    status = world.records.engine_status()

    assert status.unreachable_since == silent_since
    assert silent_since.isoformat(timespec="seconds") in status.problem
    assert status.last_pass_at > silent_since + timedelta(seconds=30 - 2 * STATUS_SECONDS)

    world.engine.is_reachable = True
    look_for(world, watch, 12)
    assert world.records.engine_status().unreachable_since is None


def test_a_silent_engine_is_told_of_once_and_its_return_too(world, watch):
    watch.look()
    world.engine.is_reachable = False
    with capture_logs() as logs:
        look_for(world, watch, 60)
        world.engine.is_reachable = True
        look_for(world, watch, 12)

    assert [entry["event"] for entry in logs] == ["engine unreachable", "engine reachable again"]


def test_an_engine_is_described_when_it_is_found_and_when_another_takes_its_place(world, engine, watch):
    engine.facts = lambda: EngineFacts(
        engine_id=world.engine.engine_id, version="20.10", has_nvidia_runtime=False, has_live_restore=False
    )
    with capture_logs() as logs:
        look_for(world, watch, 1)
        world.engine.engine_id = "engine-2"
        look_for(world, watch, 1)

    assert [entry["event"] for entry in logs] == [
        "engine found",
        "engine may hurt jobs",
        "another engine answers: jobs on the one before wait for it",
        "engine may hurt jobs",
    ]
    assert (logs[0]["version"], logs[2]["engine_before"]) == ("20.10", "engine-1")


def test_a_status_that_did_not_change_is_written_now_and_then(world, watch):
    written = []
    world.records.save_engine_status = written.append

    look_for(world, watch, 10.5, every=0.25)

    assert len(written) == 3


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world.engine, "is_reachable", False), "has not answered"),
        (lambda world: world.engine.images.clear(), "is not on this machine"),
        (lambda world: setattr(world.disk, "free", MIN_FREE_BYTES - 1), "GiB are free"),
    ],
)
def test_what_keeps_every_job_from_starting_is_said(world, watch, spoil, reason):
    assert watch.look()[1].problem is None

    spoil(world)
    world.clock.advance(STATUS_SECONDS)

    assert reason in watch.look()[1].problem
