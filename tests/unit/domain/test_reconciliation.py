"""`decide` as one table: a row for every observation, a column for every (status, cancel) an active job can be in."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from orchestrator.domain.container import ContainerState, Observation, Presence
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.reconciliation import (
    Conclude,
    Finish,
    Kill,
    Launch,
    MarkRunning,
    MissEngine,
    Policy,
    Terminate,
    Unpause,
    Wait,
    decide,
)
from tests.factories import NOW, make_attempt, make_container, make_job

POLICY = Policy(launch_grace_seconds=300, stop_grace_seconds=60, stall_seconds=200, outputs_max_bytes=1000)
IN_TIME, LATE = NOW + timedelta(seconds=300), NOW + timedelta(seconds=301)

PENDING, RUNNING = (JobStatus.PENDING, False), (JobStatus.RUNNING, False)
PENDING_CANCELLED, RUNNING_CANCELLED = (JobStatus.PENDING, True), (JobStatus.RUNNING, True)
SITUATIONS = (PENDING, RUNNING, PENDING_CANCELLED, RUNNING_CANCELLED)


def _container(state, **facts):
    return make_container(state=state, **{"exit_code": None, **facts})


def _never_started(state, **facts):
    return _container(state, started_at=None, **facts)


# name -> (presence, container, what the attempt says, and the job of `kill_at`, now)
OBSERVATIONS = {
    "unknown": (Presence.UNKNOWN, None, {}, LATE),
    "elsewhere": (Presence.ELSEWHERE, None, {}, NOW + timedelta(seconds=60)),
    "elsewhere, told": (Presence.ELSEWHERE, None, {"engine_missed_at": NOW}, NOW + timedelta(seconds=60)),
    "elsewhere, given no time": (
        Presence.ELSEWHERE,
        None,
        {"engine_missed_at": NOW, "kill_at": NOW},
        NOW + timedelta(seconds=1),
    ),
    "elsewhere, grace over": (Presence.ELSEWHERE, None, {"engine_missed_at": NOW}, NOW + timedelta(seconds=61)),
    "absent, never created": (Presence.ABSENT, None, {}, IN_TIME),
    "absent, never created, late": (Presence.ABSENT, None, {}, LATE),
    "absent, was created": (Presence.ABSENT, None, {"container_id": "c"}, IN_TIME),
    "absent, was created, late": (Presence.ABSENT, None, {"container_id": "c"}, LATE),
    "created": (Presence.PRESENT, _never_started(ContainerState.CREATED), {}, IN_TIME),
    "created, late": (Presence.PRESENT, _never_started(ContainerState.CREATED), {}, LATE),
    "created, start failed": (Presence.PRESENT, _never_started(ContainerState.CREATED, error="no"), {}, IN_TIME),
    "running": (Presence.PRESENT, _container(ContainerState.RUNNING), {}, LATE),
    "running, told to stop": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"stop_requested_at": LATE - timedelta(seconds=59)},
        LATE,
    ),
    "running, grace over": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"stop_requested_at": LATE - timedelta(seconds=60)},
        LATE,
    ),
    "running, just killed": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"stop_requested_at": NOW, "kill_count": 1, "killed_at": LATE - timedelta(seconds=9)},
        LATE,
    ),
    "running, survived a kill": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"stop_requested_at": NOW, "kill_count": 1, "killed_at": LATE - timedelta(seconds=10)},
        LATE,
    ),
    "running, silent for too long": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"started_at": NOW, "last_event_at": LATE - timedelta(seconds=201)},
        LATE,
    ),
    "running, wrote too much": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"outputs_bytes": 1001},
        LATE,
    ),
    "running, told to stop, nearer than the setting says": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"stop_requested_at": LATE - timedelta(seconds=9), "kill_at": LATE},
        LATE,
    ),
    "running, told to stop, further than the setting says": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"stop_requested_at": LATE - timedelta(seconds=90), "kill_at": LATE + timedelta(seconds=1)},
        LATE,
    ),
    "running, given no time": (Presence.PRESENT, _container(ContainerState.RUNNING), {"kill_at": LATE}, LATE),
    "running, given no time, just killed": (
        Presence.PRESENT,
        _container(ContainerState.RUNNING),
        {"kill_at": NOW, "kill_count": 1, "killed_at": LATE - timedelta(seconds=9)},
        LATE,
    ),
    "paused": (Presence.PRESENT, _container(ContainerState.PAUSED), {}, LATE),
    "restarting": (Presence.PRESENT, _container(ContainerState.RESTARTING), {}, LATE),
    "removing": (Presence.PRESENT, _container(ContainerState.REMOVING), {}, LATE),
    "exited 0": (Presence.PRESENT, _container(ContainerState.EXITED, exit_code=0), {}, LATE),
    "exited 13": (Presence.PRESENT, _container(ContainerState.EXITED, exit_code=13), {}, LATE),
    "exited 15 after a stop": (
        Presence.PRESENT,
        _container(ContainerState.EXITED, exit_code=15),
        {"stop_requested_at": NOW, "stop_reason": EndReason.STALLED},
        LATE,
    ),
    "exited 137": (Presence.PRESENT, _container(ContainerState.EXITED, exit_code=137), {}, LATE),
    "exited 137, OOM flag": (
        Presence.PRESENT,
        _container(ContainerState.EXITED, exit_code=137, is_oom_killed=True),
        {},
        LATE,
    ),
    "exited, never started": (Presence.PRESENT, _never_started(ContainerState.EXITED, exit_code=128), {}, LATE),
    "dead": (Presence.PRESENT, _container(ContainerState.DEAD, exit_code=0), {}, LATE),
}

CANCELLED = EndReason.CANCEL_REQUESTED
LOST, INCONSISTENT = EndReason.CONTAINER_LOST, EndReason.CONTAINER_INCONSISTENT
# What `decide` says per situation, in the order of SITUATIONS: a class, or the EndReason of a Finish.
TABLE = {
    "unknown": (Wait, Wait, Wait, Wait),
    "elsewhere": (MissEngine, MissEngine, MissEngine, MissEngine),
    "elsewhere, told": (Wait, Wait, Wait, Wait),
    "elsewhere, given no time": (Wait, Wait, CANCELLED, CANCELLED),
    "elsewhere, grace over": (Wait, Wait, CANCELLED, CANCELLED),
    "absent, never created": (Launch, LOST, CANCELLED, CANCELLED),
    "absent, never created, late": (EndReason.LAUNCH_TIMED_OUT, LOST, CANCELLED, CANCELLED),
    "absent, was created": (LOST, LOST, CANCELLED, CANCELLED),
    "absent, was created, late": (LOST, LOST, CANCELLED, CANCELLED),
    "created": (Launch, INCONSISTENT, CANCELLED, CANCELLED),
    "created, late": (EndReason.LAUNCH_TIMED_OUT, INCONSISTENT, CANCELLED, CANCELLED),
    "created, start failed": (EndReason.LAUNCH_REFUSED, INCONSISTENT, CANCELLED, CANCELLED),
    "running": (MarkRunning, Wait, Terminate, Terminate),
    "running, told to stop": (Wait, Wait, Wait, Wait),
    "running, grace over": (Kill, Kill, Kill, Kill),
    "running, just killed": (Wait, Wait, Wait, Wait),
    "running, survived a kill": (Kill, Kill, Kill, Kill),
    "running, silent for too long": (EndReason.STALLED, EndReason.STALLED, CANCELLED, CANCELLED),
    "running, wrote too much": (EndReason.OUTPUTS_TOO_LARGE, EndReason.OUTPUTS_TOO_LARGE, CANCELLED, CANCELLED),
    "running, told to stop, nearer than the setting says": (Kill, Kill, Kill, Kill),
    "running, told to stop, further than the setting says": (Wait, Wait, Wait, Wait),
    "running, given no time": (Kill, Kill, Kill, Kill),
    "running, given no time, just killed": (Wait, Wait, Wait, Wait),
    "paused": (Unpause, Unpause, Terminate, Terminate),
    "restarting": (MarkRunning, Wait, Terminate, Terminate),
    "removing": (Wait, Wait, Wait, Wait),
    "exited 0": (Conclude, Conclude, Conclude, Conclude),
    "exited 13": (EndReason.GPU_OUT_OF_MEMORY, EndReason.GPU_OUT_OF_MEMORY, CANCELLED, CANCELLED),
    "exited 15 after a stop": (EndReason.STALLED, EndReason.STALLED, CANCELLED, CANCELLED),
    "exited 137": (EndReason.KILLED, EndReason.KILLED, CANCELLED, CANCELLED),
    "exited 137, OOM flag": (EndReason.OUT_OF_MEMORY, EndReason.OUT_OF_MEMORY, CANCELLED, CANCELLED),
    "exited, never started": (EndReason.LAUNCH_REFUSED, EndReason.LAUNCH_REFUSED, CANCELLED, CANCELLED),
    "dead": (EndReason.CONTAINER_DEAD, EndReason.CONTAINER_DEAD, CANCELLED, CANCELLED),
}
STOPPED_NOT_FINISHED = ("running, silent for too long", "running, wrote too much")


def _expected(name, container, situation):
    verdict = TABLE[name][SITUATIONS.index(situation)]
    if isinstance(verdict, EndReason):
        return Terminate(container, verdict) if name in STOPPED_NOT_FINISHED else Finish(verdict, container)
    if verdict in (Launch, MissEngine):
        return verdict()
    return Terminate(container, CANCELLED) if verdict is Terminate else verdict(container)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: f"{s[0]}{', cancelled' if s[1] else ''}")
@pytest.mark.parametrize("name", OBSERVATIONS)
def test_every_observation_of_every_active_job_has_one_answer(name, situation):
    presence, container, facts, now = OBSERVATIONS[name]
    status, is_cancel_requested = situation
    cancel_requested_at = NOW if is_cancel_requested else None
    kill_at = facts.get("kill_at")
    job = make_job(status=status, slot=1, attempt=1, cancel_requested_at=cancel_requested_at, kill_at=kill_at)
    attempt = make_attempt(job, created_at=NOW, **{name: fact for name, fact in facts.items() if name != "kill_at"})

    decision = decide(job, attempt, Observation(presence, container), now, POLICY)

    assert decision == _expected(name, container, situation)


def test_the_table_leaves_no_pair_out():
    assert TABLE.keys() == OBSERVATIONS.keys()
    assert all(len(row) == len(SITUATIONS) for row in TABLE.values())
    active = [status for status in JobStatus if status.is_active]
    assert set(SITUATIONS) == set(itertools.product(active, (False, True)))
    observed = {container.state for _, container, _, _ in OBSERVATIONS.values() if container}
    assert observed == set(ContainerState)
    assert {presence for presence, *_ in OBSERVATIONS.values()} == set(Presence)


@pytest.mark.parametrize(
    ("asked", "limit", "ran", "is_too_long"),
    [(None, 100, 100, False), (None, 100, 101, True), (50, 100, 51, True), (200, 100, 101, True)],
)
def test_a_job_runs_as_long_as_it_asks_for_and_the_installation_allows(asked, limit, ran, is_too_long):
    container = _container(ContainerState.RUNNING)
    job = make_job(status=JobStatus.RUNNING, slot=1, attempt=2, started_at=NOW, max_runtime_seconds=asked)

    decision = decide(
        job,
        make_attempt(job, number=2),
        Observation(Presence.PRESENT, container),
        NOW + timedelta(seconds=ran),
        Policy(max_runtime_seconds=limit),
    )

    assert decision == (Terminate(container, EndReason.RUN_TIME_EXCEEDED) if is_too_long else Wait(container))
