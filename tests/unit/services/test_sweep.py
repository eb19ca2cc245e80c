"""What is left over, what is not, and how much of it one pass removes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from orchestrator.domain.container import LABEL_JOB
from orchestrator.domain.errors import RuntimeUnavailable
from orchestrator.services.sweep import MOST_REMOVALS, Sweep
from tests.factories import make_spec
from tests.unit.services.world import ORPHAN_GRACE_SECONDS, UNBUILT_MODEL


class Keeping:
    """An engine that does not let go of some containers: in Docker's words they are dead."""

    def __init__(self, engine, *kept):
        self._engine = engine
        self._kept = kept

    def remove(self, container_id):
        if container_id in self._kept:
            raise RuntimeUnavailable("driver failed to remove root filesystem: device or resource busy")
        self._engine.remove(container_id)


@pytest.fixture
def sweep(world):
    """`sweep(runtime=, **changes)`: what removes what is left over in this world."""

    def make(runtime=None, **changes):
        return Sweep(
            **{
                "jobs": world.store,
                "runtime": runtime or world.engine,
                "clock": world.clock,
                "orphan_grace_seconds": ORPHAN_GRACE_SECONDS,
            }
            | changes
        )

    return make


@pytest.fixture
def orphans(world):
    """`orphans(count)`: the ids of containers without a job, older than the grace."""

    def make(count):
        ids = [world.engine.create(make_spec()).id for _ in range(count)]
        world.clock.advance(ORPHAN_GRACE_SECONDS + 1)
        return ids

    return make


def reasons(sweep, world, expected=()):
    return [each.why for each in sweep.left_over(world.engine.snapshot(), expected)]


def test_a_container_without_a_job_is_left_over_after_its_grace(world, sweep):
    world.engine.create(make_spec())
    world.clock.advance(ORPHAN_GRACE_SECONDS)
    assert reasons(sweep(), world) == []

    world.clock.advance(1)

    assert reasons(sweep(), world) == ["no job of this installation"]


@pytest.mark.parametrize("skew", [timedelta(days=-1), timedelta(days=1)])
def test_the_grace_is_counted_on_the_engines_clock(world, sweep, skew):
    """An engine whose clock is a day behind or ahead of ours stamps both its containers and its lists with it."""
    ours = type(world.clock)(world.clock.now() + skew)
    world.engine.create(make_spec())

    assert reasons(sweep(clock=ours), world) == []


def test_the_container_of_an_active_job_is_not_left_over_even_if_the_pass_did_not_expect_it(world, sweep):
    world.submit()
    world.run_once()

    assert reasons(sweep(), world) == []


def test_the_container_of_an_ended_job_is_left_over_at_once(world, sweep):
    job_id = world.submit()
    world.cancel(job_id)
    world.engine.create(make_spec(job_id))

    assert reasons(sweep(), world) == ["its job is cancelled"]


def test_a_model_build_that_a_crash_cut_off_is_left_over_after_its_grace(world, sweep):
    world.engine.create(make_spec(labels={LABEL_JOB: f"model-{UNBUILT_MODEL.folder}"}))
    assert reasons(sweep(), world) == []

    world.clock.advance(ORPHAN_GRACE_SECONDS + 1)

    assert reasons(sweep(), world) == ["no job of this installation"]


def test_foreign_containers_are_never_left_over(world, sweep, orphans):
    foreign = world.engine.of_instance("other")
    foreign.create(make_spec())
    orphans(1)

    assert sweep().remove_left_over(world.engine.snapshot(), ()) == 1
    assert len(foreign.snapshot().containers) == 1


def test_one_pass_removes_so_many_and_the_next_ones_the_rest(world, sweep, orphans):
    orphans(2 * MOST_REMOVALS + 1)
    sweeping = sweep()

    removed = [sweeping.remove_left_over(world.engine.snapshot(), ()) for _ in range(4)]

    assert removed == [MOST_REMOVALS, MOST_REMOVALS, 1, 0]


def test_a_slow_engine_gets_fewer_removals_a_pass(world, sweep, orphans):
    orphans(5)

    class Slow(Keeping):
        def remove(self, container_id):
            world.clock.advance(0.2)
            super().remove(container_id)

    assert sweep(Slow(world.engine)).remove_left_over(world.engine.snapshot(), ()) == 3


def test_whoever_asked_for_it_has_all_removed_at_once(world, sweep, orphans):
    orphans(3 * MOST_REMOVALS)

    assert sweep(is_thorough=True).remove_left_over(world.engine.snapshot(), ()) == 3 * MOST_REMOVALS


def test_one_question_to_the_store_judges_them_all(world, sweep, orphans):
    orphans(50)
    asked = []

    class Counting:
        def standings(self, job_ids):
            asked.append(len(job_ids))
            return {}

    assert len(reasons(sweep(jobs=Counting()), world)) == 50
    assert asked == [50]


def test_a_container_that_cannot_be_removed_is_tried_each_pass_and_told_once(world, sweep, orphans):
    (stuck,) = orphans(1)
    sweeping = sweep(Keeping(world.engine, stuck))

    with capture_logs() as logs:
        for _ in range(5):
            assert sweeping.remove_left_over(world.engine.snapshot(), ()) == 0

    assert [entry["event"] for entry in logs] == ["removing left-over container", "left-over container not removed"]


def test_those_that_cannot_be_removed_do_not_keep_the_others(world, sweep, orphans):
    stuck = orphans(MOST_REMOVALS)
    (free,) = orphans(1)
    sweeping = sweep(Keeping(world.engine, *stuck))
    sweeping.remove_left_over(world.engine.snapshot(), ())

    assert sweeping.remove_left_over(world.engine.snapshot(), ()) == 1
    assert world.engine.inspect(free) is None


def test_a_dry_run_tells_once_and_removes_nothing(world, sweep, orphans):
    orphans(2)
    sweeping = sweep(is_dry_run=True)

    with capture_logs() as logs:
        for _ in range(3):
            assert sweeping.remove_left_over(world.engine.snapshot(), ()) == 0

    assert len(logs) == 2
    assert len(world.containers()) == 2
