"""When a waiting job will start, as far as anybody can know."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import pytest

from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.scheduling import Capacity, QueuedJob, SchedulingPolicy, survey
from orchestrator.domain.training import TrainingConfig
from orchestrator.domain.waiting_time import Pace, starting_times, waits
from tests.factories import NOW, make_job, make_run

MODEL = "lorry/tiny-sd15"
ONE_SECOND_A_STEP = Pace([make_run(MODEL, 100, 100.0)])
NEVER_RAN = Pace([])


def waiting(user_id, steps=100, **changes):
    return QueuedJob.of(make_job(user_id=user_id, config=TrainingConfig(steps=steps), **changes))


def running(user_id, device, eta_seconds=None, slot=1):
    return make_job(
        user_id=user_id,
        status=JobStatus.RUNNING,
        slot=slot,
        gpu_ids=(device,),
        config=TrainingConfig(steps=500),
        progress=Progress(eta_seconds=eta_seconds),
    )


def seconds(queue, active=(), devices=("GPU-0",), pace=ONE_SECOND_A_STEP, limit=2):
    """Until each of the queue starts, in the queue's order as given."""
    leased = frozenset(device for job in active for device in job.gpu_ids)
    capacity = Capacity(devices=devices, leased=leased, active=active, suspects={})
    policy = SchedulingPolicy(max_active_per_user=limit)
    turns = survey(queue, capacity, now=NOW, policy=policy)
    times = starting_times(turns, capacity, pace, now=NOW, policy=policy)
    return [times[job.id] for job in queue]


def test_a_job_that_can_start_waits_no_time():
    assert seconds([waiting("a")]) == [0.0]


def test_a_job_waits_until_the_first_device_frees_up():
    active = [running("b", "GPU-0", 90.0), running("c", "GPU-1", 30.0)]

    assert seconds([waiting("a")], active, ["GPU-0", "GPU-1"]) == [30.0]


def test_jobs_ahead_are_counted_with_the_time_they_will_take():
    active = [running("z", "GPU-0", 40.0)]

    assert seconds([waiting("a"), waiting("b", steps=200), waiting("c")], active) == [40.0, 140.0, 340.0]


def test_without_a_pace_only_those_who_need_none_are_told_a_time():
    active = [running("z", "GPU-0", 40.0)]

    assert seconds([waiting("a"), waiting("b")], active, pace=NEVER_RAN) == [40.0, None]


def test_a_job_that_has_not_reported_yet_is_estimated_whole():
    active = [running("z", "GPU-0")]

    assert seconds([waiting("a")], active) == [500.0]
    assert seconds([waiting("a")], active, pace=NEVER_RAN) == [None]


def test_a_user_at_the_limit_waits_for_their_own_jobs_and_keeps_no_device_from_others():
    active = [running("a", "GPU-0", 60.0), running("a", "GPU-1", 90.0, slot=2)]

    assert seconds([waiting("a"), waiting("b")], active, ["GPU-0", "GPU-1", "GPU-2"]) == [60.0, 0.0]


def test_a_user_above_a_lowered_limit_waits_for_more_than_one_end():
    active = [running("a", f"GPU-{slot}", 10.0 * slot, slot) for slot in (1, 2, 3)]

    assert seconds([waiting("a")], active, ["GPU-1", "GPU-2", "GPU-3"], limit=2) == [20.0]


def test_a_job_of_two_devices_waits_for_the_second():
    active = [running("b", "GPU-0", 90.0), running("c", "GPU-1", 30.0)]

    assert seconds([waiting("a", gpus=2)], active, ["GPU-0", "GPU-1"]) == [90.0]


def test_a_job_too_big_for_the_machine_has_no_time_and_delays_nobody():
    assert seconds([waiting("a", gpus=2), waiting("b")]) == [None, 0.0]
    assert seconds([waiting("a")], devices=[]) == [None]


def test_a_retry_starts_at_its_time_at_the_earliest():
    assert seconds([waiting("a", retry_at=NOW + timedelta(seconds=7))]) == [7.0]


def test_a_device_leased_to_nobody_known_frees_up_at_nobody_knows_when():
    capacity = Capacity(devices=["GPU-0"], leased=frozenset(["GPU-0"]), active=[], suspects={})
    policy = SchedulingPolicy()
    turns = survey([waiting("a")], capacity, now=NOW, policy=policy)

    assert list(starting_times(turns, capacity, ONE_SECOND_A_STEP, now=NOW, policy=policy).values()) == [None]


@pytest.mark.parametrize(
    ("runs", "model", "expected"),
    [
        ([], MODEL, math.inf),
        ([make_run(MODEL, 100, 50.0)], MODEL, 500.0),
        ([make_run(MODEL, 100, 50.0), make_run("other/model", 100, 900.0)], MODEL, 500.0),
        ([make_run("other/model", 100, 900.0)], MODEL, 9_000.0),
        ([make_run(MODEL, 100, each) for each in (10.0, 20.0, 9_999.0)], MODEL, 200.0),
    ],
)
def test_a_duration_is_the_median_pace_of_its_base_model_or_of_all(runs, model, expected):
    assert Pace(runs).duration_seconds(model, 1000) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(0.1, 120.0), (0.5, 200.0), (0.9, 840.0)], ids=["fast", "usual", "slow"]
)
def test_a_pace_is_slower_than_a_share_of_the_runs(share, expected):
    runs = [make_run(MODEL, 100, each) for each in (10.0, 20.0, 100.0)]

    assert Pace(runs, share=share).duration_seconds(MODEL, 1000) == pytest.approx(expected)


def told(queue, active, runs, devices=("GPU-0",)):
    """The wait of each of the queue, in its order."""
    leased = frozenset(device for job in active for device in job.gpu_ids)
    capacity = Capacity(devices=devices, leased=leased, active=active, suspects={})
    policy = SchedulingPolicy()
    found = waits(survey(queue, capacity, now=NOW, policy=policy), capacity, runs, now=NOW, policy=policy)
    return [found[job.id] for job in queue]


def test_the_spread_of_a_wait_is_that_of_the_runs_that_completed_here():
    runs = [make_run(MODEL, 100, each) for each in (80.0, 100.0, 150.0)]
    first, second = told([waiting("a"), waiting("b")], [running("z", "GPU-0", 40.0)], runs)

    assert first == pytest.approx((40.0, 40.0 * 0.84, 40.0 * 1.4))
    assert second == pytest.approx((140.0, 140.0 * 0.84, 140.0 * 1.4))


@pytest.mark.parametrize("runs", [[], [make_run(MODEL, 100, 100.0)] * 2])
def test_too_few_runs_tell_a_time_and_no_spread(runs):
    assert told([waiting("a")], [running("z", "GPU-0", 40.0)], runs) == [(40.0, None, None)]


def test_runs_of_other_models_tell_no_spread_where_a_few_of_the_own_tell_the_time():
    runs = [make_run("other/model", 100, 50.0)] * 9 + [make_run(MODEL, 100, 100.0)]

    assert told([waiting("a"), waiting("b")], [running("z", "GPU-0", 40.0)], runs) == [
        (40.0, None, None),
        (140.0, None, None),
    ]


def test_what_starts_at_once_does_so_whatever_the_pace():
    assert told([waiting("a")], [], []) == [(0.0, 0.0, 0.0)]
    assert told([waiting("a")], [], [make_run(MODEL, 100, each) for each in (8.0, 10.0, 15.0)]) == [(0.0, 0.0, 0.0)]


def test_nobody_knows_a_spread_where_nobody_knows_a_time():
    assert told([waiting("a", gpus=2)], [], [make_run(MODEL, 100, each) for each in (8.0, 10.0, 15.0)]) == [
        (None, None, None)
    ]


@pytest.mark.parametrize("seed", range(100))
def test_the_time_told_lies_within_its_spread(seed):
    draw = random.Random(seed)  # noqa: S311 - a seed, to be repeated
    runs = [make_run(MODEL, 100, 50.0 + 100.0 * draw.random()) for _ in range(draw.randint(3, 20))]
    queue = [waiting(draw.choice("abc"), steps=draw.randint(1, 500)) for _ in range(draw.randint(1, 12))]
    active = [running("d", f"GPU-{number}", 500.0 * draw.random()) for number in range(draw.randint(0, 3))]

    for eta, low, high in told(queue, active, runs, devices=[f"GPU-{number}" for number in range(3)]):
        assert 0.0 <= low <= eta <= high


@pytest.mark.parametrize("seed", range(100))
def test_those_who_start_now_are_told_so_and_all_others_later(seed):
    draw = random.Random(seed)  # noqa: S311 - a seed, to be repeated
    queue = [waiting(draw.choice("abc"), gpus=draw.choice([1, 1, 2])) for _ in range(draw.randint(1, 12))]
    active = [running("d", f"GPU-{number}", 5.0 + draw.random()) for number in range(draw.randint(0, 3))]
    devices = [f"GPU-{number}" for number in range(3)]
    leased = frozenset(device for job in active for device in job.gpu_ids)
    capacity = Capacity(devices=devices, leased=leased, active=active, suspects={})
    policy = SchedulingPolicy()
    turns = survey(queue, capacity, now=NOW, policy=policy)
    times = starting_times(turns, capacity, ONE_SECOND_A_STEP, now=NOW, policy=policy)

    assert {job_id for job_id, time in times.items() if time == 0.0} >= {
        turn.job.id for turn in turns if turn.starts_now
    }
    assert None not in times.values()
