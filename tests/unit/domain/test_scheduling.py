"""Who starts next, on which devices, and what the others wait for."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.scheduling import (
    Capacity,
    HouseRules,
    QueuedJob,
    SchedulingPolicy,
    in_starting_order,
    is_cpu,
    survey,
)
from tests.factories import NOW, make_job

POLICY = SchedulingPolicy(max_active_per_user=2, ageing_seconds=1_800)
LATER = NOW + timedelta(seconds=10)
GPUS = [f"GPU-{number}" for number in range(4)]


def waiting(user_id="user-1", **changes):
    return QueuedJob.of(make_job(user_id=user_id, **changes))


def running(user_id="user-1", slot=1, devices=()):
    return make_job(user_id=user_id, status=JobStatus.RUNNING, slot=slot, gpu_ids=tuple(devices))


def capacity(devices=GPUS, active=(), suspects=None):
    leased = frozenset(device for job in active for device in job.gpu_ids)
    return Capacity(devices=devices, leased=leased, active=active, suspects=suspects or {})


def look(queue, room=None, limit=2, now=LATER):
    policy = SchedulingPolicy(max_active_per_user=limit, ageing_seconds=1_800)
    return survey(queue, room or capacity(), now=now, policy=policy)


def starts(queue, room=None, limit=2):
    return [(turn.job, turn.slot) for turn in look(queue, room, limit) if turn.starts_now]


def held(queue, room=None, limit=2, now=LATER):
    """What holds the first job that cannot start."""
    return hold_of(queue, room, limit, now).reason


def hold_of(queue, room=None, limit=2, now=LATER):
    return next(turn.hold for turn in look(queue, room, limit, now) if not turn.starts_now)


def order(queue, active=None, now=LATER):
    return list(in_starting_order(queue, active or Counter(), now=now, policy=POLICY))


class TestTheOrder:
    def test_the_oldest_starts_first_whatever_order_they_come_in(self):
        older, younger = waiting(), waiting()

        assert order([younger, older]) == [older, younger]

    def test_priority_comes_before_age_and_before_fairness(self):
        usual, urgent = waiting("idle"), waiting("busy", priority=2)

        assert order([usual, urgent], Counter(busy=2)) == [urgent, usual]

    def test_the_user_with_fewer_active_jobs_comes_before_an_older_job(self):
        busy, idle = waiting("busy"), waiting("idle")

        assert order([busy, idle], Counter(busy=1)) == [idle, busy]

    def test_users_take_turns(self):
        a1, a2, a3 = (waiting("a") for _ in range(3))
        b1, b2 = (waiting("b") for _ in range(2))

        assert order([a1, a2, a3, b1, b2]) == [a1, b1, a2, b2, a3]

    def test_an_urgent_job_counts_against_its_users_other_ones(self):
        usual, urgent, other = waiting("a"), waiting("a", priority=1), waiting("b")

        assert order([usual, urgent, other]) == [urgent, other, usual]

    def test_a_job_rises_by_one_priority_for_every_half_hour_it_waits(self):
        low = waiting("a", priority=-1, updated_at=NOW)
        fresh = waiting("b", priority=1, updated_at=NOW + timedelta(hours=1))

        assert order([low, fresh], now=NOW + timedelta(seconds=3_599)) == [fresh, low]
        assert order([low, fresh], now=NOW + timedelta(seconds=3_601)) == [low, fresh]

    def test_nobody_rises_above_the_top(self):
        old, urgent = (
            waiting("a", priority=1, updated_at=NOW),
            waiting("b", priority=2, updated_at=NOW + timedelta(days=7)),
        )

        assert order([urgent, old], Counter(a=1), now=NOW + timedelta(days=7)) == [urgent, old]

    def test_jobs_of_one_moment_have_an_order_too(self):
        same = [waiting("a", created_at=NOW) for _ in range(5)]

        assert order(same) == order(list(reversed(same))) == sorted(same, key=lambda job: job.id)


class TestStarting:
    def test_a_user_never_gets_more_slots_than_the_limit(self):
        jobs = [waiting() for _ in range(5)]

        assert starts(jobs) == [(jobs[0], 1), (jobs[1], 2)]
        assert starts(jobs, capacity(active=[running(slot=1)])) == [(jobs[0], 2)]
        assert starts(jobs, capacity(active=[running(slot=2)])) == [(jobs[0], 1)]
        assert starts(jobs, capacity(active=[running(slot=1), running(slot=2)])) == []

    def test_a_slot_above_a_lowered_limit_counts(self):
        assert starts([waiting()], capacity(active=[running(slot=2)]), limit=1) == []

    def test_a_job_that_cannot_start_never_blocks_one_that_can(self):
        blocked, big, other = waiting("full", priority=2), waiting("c", priority=1, gpus=4), waiting("other")
        room = capacity(active=[running("full", 1, ["GPU-0"]), running("full", 2, ["GPU-1"])])

        assert starts([blocked, big, other], room) == [(other, 1)]

    def test_every_start_gets_devices_of_its_own_until_none_is_left(self):
        queue = [waiting("a", gpus=2), waiting("b"), waiting("c", gpus=2), waiting("d")]

        assert [turn.devices for turn in look(queue)] == [("GPU-0", "GPU-1"), ("GPU-2",), (), ("GPU-3",)]

    def test_a_leased_device_is_not_free(self):
        room = capacity(active=[running("b", 1, ["GPU-0", "GPU-2"])])

        assert look([waiting(gpus=2)], room)[0].devices == ("GPU-1", "GPU-3")

    def test_suspect_devices_are_handed_out_last(self):
        room = capacity(suspects={"GPU-0": "some job", "GPU-2": "some job"})

        assert [turn.devices for turn in look([waiting(user) for user in "abcd"], room)] == [
            ("GPU-1",),
            ("GPU-3",),
            ("GPU-0",),
            ("GPU-2",),
        ]

    def test_a_retry_gets_another_suspect_device_than_the_one_that_failed_it(self):
        job = waiting()
        room = capacity(devices=["GPU-0", "GPU-1"], suspects={"GPU-0": job.id, "GPU-1": "some job"})

        assert look([job], room)[0].devices == ("GPU-1",)

    def test_the_only_device_is_used_even_when_it_failed_this_job(self):
        job = waiting()

        assert look([job], capacity(devices=["GPU-0"], suspects={"GPU-0": job.id}))[0].devices == ("GPU-0",)

    def test_surveying_leaves_what_it_was_given_alone(self):
        devices, queue = ["GPU-0"], [waiting()]
        look(queue, capacity(devices))

        assert (devices, len(queue)) == (["GPU-0"], 1)


class TestTheReason:
    @pytest.mark.parametrize(
        ("limit", "reason"), [(1, "your limit of 1 running job"), (2, "your limit of 2 running jobs")]
    )
    def test_a_user_at_the_limit_waits_for_their_own_jobs(self, limit, reason):
        assert held([waiting()], capacity(active=[running(slot=slot + 1) for slot in range(limit)]), limit) == reason

    def test_jobs_about_to_start_count_for_the_limit(self):
        turns = look([waiting() for _ in range(3)])

        assert [(turn.position, turn.hold and turn.hold.reason) for turn in turns] == [
            (1, None),
            (2, None),
            (3, "your limit of 2 running jobs"),
        ]

    @pytest.mark.parametrize("devices", [[], ["GPU-0"]])
    def test_without_a_free_device_a_job_waits_for_one(self, devices):
        assert held([waiting()], capacity(devices, active=[running("b", 1, devices)])) == "no GPU or CPU slot is free"

    @pytest.mark.parametrize(
        ("devices", "taken", "gpus", "reason"),
        [
            (GPUS, 3, 2, "needs 2 GPUs, 1 is free"),
            (GPUS, 2, 3, "needs 3 GPUs, 2 are free"),
            (GPUS, 4, 2, "needs 2 GPUs, none is free"),
            (GPUS, 0, 5, "needs 5 GPUs, this machine has 4"),
            (["cpu-0", "cpu-1"], 1, 2, "needs 2 CPU slots, 1 is free"),
            (["cpu-0"], 0, 2, "needs 2 CPU slots, this machine has 1"),
        ],
    )
    def test_a_job_of_several_devices_learns_how_many_are_free(self, devices, taken, gpus, reason):
        assert held([waiting(gpus=gpus)], capacity(devices, active=[running("b", 1, devices[:taken])])) == reason

    @pytest.mark.parametrize(
        ("queue", "room", "explanation", "freed_by"),
        [
            ([waiting()], capacity(["GPU-0"], [running("b", 1, ["GPU-0"])]), "The only GPU is taken.", "A running job"),
            ([waiting()], capacity(GPUS, [running("b", 1, GPUS)]), "All 4 GPUs are taken.", "A running job"),
            ([waiting()], capacity([]), "No job can start: this machine shows no GPU or CPU slot.", "Whoever runs"),
            ([waiting(gpus=8)], capacity(), "It needs 8 GPUs, this machine has 4.", "Nothing on this machine: cancel"),
            (
                [waiting(gpus=4)],
                capacity(active=[running("b", 1, ["GPU-0"])]),
                "It needs 4 GPUs, 3 are free.",
                "4 GPUs",
            ),
            (
                [waiting()],
                capacity(active=[running(), running(slot=2)]),
                "Its owner's limit of 2 running jobs is reached.",
                "One of the owner's own running jobs ends.",
            ),
        ],
    )
    def test_it_is_a_sentence_and_another_says_what_would_end_the_wait(self, queue, room, explanation, freed_by):
        hold = hold_of(queue, room)

        assert (hold.explanation, hold.freed_by[: len(freed_by)]) == (explanation, freed_by)
        assert hold.freed_by.endswith(".")

    @pytest.mark.parametrize(
        ("reason", "explanation"),
        [
            ("waits for the model a/b: 43 %", "It waits for the model a/b: 43 %."),
            ("the model a/b could not be fetched: It is gone.", "The model a/b could not be fetched: It is gone."),
        ],
    )
    def test_a_model_that_is_not_here_is_said_as_a_sentence(self, reason, explanation):
        job = waiting()
        (turn,) = survey([job], capacity(), now=LATER, policy=POLICY, model_holds={job.base_model: reason})

        assert (turn.hold.reason, turn.hold.explanation) == (reason, explanation)

    def test_maintenance_ends_when_an_administrator_ends_it(self):
        room = replace(capacity(), rules=HouseRules(closed_because="maintenance: a new disk"))

        assert hold_of([waiting()], room)[:2] == (
            "maintenance: a new disk",
            "No job is started for now: maintenance: a new disk.",
        )

    def test_a_retry_waits_for_its_time_and_says_what_went_wrong(self):
        job = waiting(retry_at=NOW + timedelta(seconds=20), error_message="The container disappeared.")

        assert held([job]) == "tried again at 00:00:20 UTC after: The container disappeared."
        assert look([job], now=NOW + timedelta(seconds=20))[0].starts_now

    def test_a_retry_that_waits_holds_nothing(self):
        retry, other = waiting(retry_at=NOW + timedelta(days=1), error_message="x"), waiting()

        assert starts([retry, other], capacity(["GPU-0"])) == [(other, 1)]


def chance(seed):
    """A machine, its running jobs and a queue, drawn by a seed."""
    draw = random.Random(seed)  # noqa: S311 - a seed, to be repeated
    devices = GPUS[: draw.randint(0, 4)]
    free, active, slots = list(devices), [], Counter()
    for _ in range(draw.randint(0, 3)):
        user = draw.choice("abc")
        if free and slots[user] < 2:
            slots[user] += 1
            active.append(running(user, slots[user], [free.pop(draw.randrange(len(free)))]))
    queue = [
        waiting(
            draw.choice("abcd"),
            priority=draw.randint(-1, 2),
            gpus=draw.choice([1, 1, 1, 2, 3, 5]),
            updated_at=NOW - timedelta(seconds=draw.randrange(10_000)),
            retry_at=draw.choice([None, None, NOW, NOW + timedelta(hours=1)]),
        )
        for _ in range(draw.randint(0, 12))
    ]
    suspects = {device: draw.choice([job.id for job in queue] or ["gone"]) for device in devices if draw.random() < 0.3}
    return draw, queue, capacity(devices, active, suspects)


@pytest.mark.parametrize("seed", range(300))
def test_whatever_the_queue_no_rule_is_broken_and_nobody_is_left_out(seed):
    draw, queue, room = chance(seed)
    turns = look(queue, room)
    begun = [turn for turn in turns if turn.starts_now]
    held_slots = [(job.user_id, job.slot) for job in room.active] + [(turn.job.user_id, turn.slot) for turn in begun]
    given = [device for turn in begun for device in turn.devices]
    left = set(room.free) - set(given)
    count = Counter(user for user, _ in held_slots)

    # the order is total and does not depend on how the queue was listed
    assert Counter(turn.job for turn in turns) == Counter(queue)
    assert [turn.position for turn in turns] == list(range(1, len(queue) + 1))
    assert look(draw.sample(queue, len(queue)), room) == turns
    # slots and devices
    assert len(set(held_slots)) == len(held_slots)
    assert max(count.values(), default=0) <= 2
    assert len(set(given)) == len(given)
    assert set(given) <= set(room.free)
    assert all(len(turn.devices) == turn.job.gpus for turn in begun)
    # whoever waits could not have started on what is left
    for turn in turns:
        job = turn.job
        is_due = job.retry_at is None or job.retry_at <= LATER
        assert turn.starts_now or not is_due or count[job.user_id] >= 2 or job.gpus > len(left), turn


@pytest.mark.parametrize("seed", range(100))
def test_the_order_is_that_of_always_taking_the_best_of_the_rest(seed):
    _, queue, room = chance(seed)
    active = Counter(job.user_id for job in room.active)
    counted, rest, expected = Counter(active), list(queue), []
    while rest:
        best = min(
            rest,
            key=lambda job: (
                -min(2, job.priority + int((LATER - job.updated_at).total_seconds() // 1_800)),
                counted[job.user_id],
                job.created_at,
                job.id,
            ),
        )
        rest.remove(best)
        counted[best.user_id] += 1
        expected.append(best)

    assert order(queue, active) == expected


@pytest.mark.parametrize(("device", "answer"), [("cpu-0", True), ("GPU-8f6e", False), ("all", False)])
def test_a_device_is_a_cpu_slot_by_its_name(device, answer):
    assert is_cpu(device) is answer
