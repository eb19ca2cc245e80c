"""Who starts next and what the others wait for."""

from __future__ import annotations

from collections import Counter

import pytest

from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.scheduling import in_starting_order, is_cpu, place_of, plan_starts
from tests.factories import make_job

DEVICES = [f"cpu-{number}" for number in range(10)]


def _active(user_id="user-1", slot=1, eta_seconds=None):
    progress = Progress(eta_seconds=eta_seconds)
    return make_job(user_id=user_id, status=JobStatus.RUNNING, slot=slot, progress=progress)


def _starts(queued, active=(), devices=DEVICES, limit=2):
    return [(start.job, start.slot) for start in plan_starts(queued, active, devices, max_active_per_user=limit)]


def test_the_oldest_starts_first_whatever_order_they_come_in():
    older, younger = make_job(), make_job()

    assert in_starting_order([younger, older], Counter()) == [older, younger]


def test_priority_comes_before_age_and_before_fairness():
    usual, urgent = make_job(user_id="idle"), make_job(user_id="busy", priority=2)

    assert in_starting_order([usual, urgent], Counter(busy=2)) == [urgent, usual]


def test_the_user_with_fewer_active_jobs_comes_before_an_older_job():
    busy, idle = make_job(user_id="busy"), make_job(user_id="idle")

    assert in_starting_order([busy, idle], Counter(busy=1)) == [idle, busy]


def test_users_take_turns():
    a1, a2, a3 = (make_job(user_id="a") for _ in range(3))
    b1, b2 = (make_job(user_id="b") for _ in range(2))

    assert in_starting_order([a1, a2, a3, b1, b2], Counter()) == [a1, b1, a2, b2, a3]


def test_a_user_never_gets_more_slots_than_the_limit():
    jobs = [make_job() for _ in range(5)]

    assert _starts(jobs) == [(jobs[0], 1), (jobs[1], 2)]
    assert _starts(jobs, [_active(slot=1)]) == [(jobs[0], 2)]
    assert _starts(jobs, [_active(slot=2)]) == [(jobs[0], 1)]
    assert _starts(jobs, [_active(slot=1), _active(slot=2)]) == []


def test_a_slot_above_a_lowered_limit_is_not_handed_out_again():
    assert _starts([make_job()], [_active(slot=2), _active(slot=1)], limit=1) == []


def test_a_job_that_cannot_start_never_blocks_one_that_can():
    blocked, other = make_job(user_id="full", priority=2), make_job(user_id="other")
    active = [_active("full", 1), _active("full", 2)]

    assert _starts([blocked, other], active) == [(other, 1)]


def test_every_start_gets_a_device_of_its_own_until_none_is_left():
    queued = [make_job(user_id=f"user-{number}") for number in range(3)]

    starts = plan_starts(queued, [], ["cpu-0", "cpu-1"], max_active_per_user=2)

    assert [start.devices for start in starts] == [("cpu-0",), ("cpu-1",)]
    assert plan_starts(queued, [], [], max_active_per_user=2) == []


def test_planning_leaves_what_it_was_given_alone():
    devices = ["cpu-0"]
    plan_starts([make_job()], [], devices, max_active_per_user=2)

    assert devices == ["cpu-0"]


def test_a_waiting_job_learns_its_place_and_that_no_device_is_free():
    first, second = make_job(user_id="a"), make_job(user_id="b")
    active = [_active("c", eta_seconds=90.0), _active("d", eta_seconds=30.0), _active("e")]

    place = place_of(second, [first, second], active, max_active_per_user=2)

    assert (place.position, place.eta_seconds) == (2, 30.0)
    assert place.reason == "no GPU or CPU slot is free"


def test_a_job_of_a_user_at_the_limit_waits_for_that_users_own_jobs():
    job = make_job(user_id="a")
    active = [_active("a", 1, 90.0), _active("a", 2, 60.0), _active("b", 1, 5.0)]

    place = place_of(job, [job], active, max_active_per_user=2)

    assert place.reason == "your limit of 2 running jobs: starts when one of them ends"
    assert (place.position, place.eta_seconds) == (1, 60.0)


def test_without_an_estimate_there_is_no_eta():
    job = make_job()

    assert place_of(job, [job], [_active("b")], max_active_per_user=2).eta_seconds is None


@pytest.mark.parametrize(("device", "answer"), [("cpu-0", True), ("GPU-8f6e", False), ("all", False)])
def test_a_device_is_a_cpu_slot_by_its_name(device, answer):
    assert is_cpu(device) is answer
