"""When a waiting job will start, by playing the queue forward at the speed jobs really run here. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from orchestrator.domain.estimates import Run
from orchestrator.domain.job import Job
from orchestrator.domain.scheduling import Capacity, QueuedJob, SchedulingPolicy, Turn, Wait

_UNKNOWN = math.inf
_MIDDLE = 0.5
# Four of five jobs took a time between these.
_LOW, _HIGH = 0.1, 0.9
# Fewer jobs say what is usual, and not how far from it things may be.
_FEWEST_FOR_A_SPREAD = 3


class Pace:
    """Seconds a step takes in recent runs, of the same base model if there are any: slower than a `share` of them.

    The middle is the median. Another share takes a few runs to tell.
    """

    def __init__(self, runs: Iterable[Run], *, share: float = _MIDDLE) -> None:
        by_model: dict[str, list[float]] = defaultdict(list)
        for run in runs:
            by_model[run.work.base_model].append(run.seconds / run.steps)
        self._by_model = {model: _Speed.of(paces, share) for model, paces in by_model.items()}
        self._overall = _Speed.of([pace for paces in by_model.values() for pace in paces], share)

    def duration_seconds(self, base_model: str, steps: int) -> float:
        """Infinite while too few jobs have completed here."""
        return steps * self._speed(base_model).step_seconds

    def remaining_seconds(self, job: Job) -> float:
        """Of a running job, by what its trainer says; a trainer errs as far as its base model's runs lie apart."""
        eta = job.progress.eta_seconds
        if eta is None:
            return self.duration_seconds(job.base_model, job.config.steps)
        return eta * self._speed(job.base_model).factor if eta else 0.0

    def _speed(self, base_model: str) -> _Speed:
        return self._by_model.get(base_model, self._overall)


class _Speed(NamedTuple):
    step_seconds: float
    factor: float  # of the usual speed

    @classmethod
    def of(cls, paces: Sequence[float], share: float) -> _Speed:
        if share == _MIDDLE:
            return cls(_quantile(paces, share) if paces else _UNKNOWN, 1.0)
        if len(paces) < _FEWEST_FOR_A_SPREAD:
            return cls(_UNKNOWN, _UNKNOWN)
        pace, usual = _quantile(paces, share), _quantile(paces, _MIDDLE)
        return cls(pace, pace / usual if usual else 1.0)


def waits(
    turns: Sequence[Turn], capacity: Capacity, runs: Sequence[Run], *, now: datetime, policy: SchedulingPolicy
) -> Mapping[str, Wait]:
    """How long each waiting job waits, by its id, and how sure that is: the queue is played forward at the usual speed,
    with all jobs fast, and with all of them slow. `runs` is what completed here lately."""
    usual = starting_times(turns, capacity, Pace(runs), now=now, policy=policy)
    if len(runs) < _FEWEST_FOR_A_SPREAD:
        return {job_id: Wait(eta) if eta else Wait(eta, eta, eta) for job_id, eta in usual.items()}
    fast, slow = (
        starting_times(turns, capacity, Pace(runs, share=share), now=now, policy=policy) for share in (_LOW, _HIGH)
    )
    return {job_id: _wait(eta, fast[job_id], slow[job_id]) for job_id, eta in usual.items()}


def _wait(eta: float | None, fast: float | None, slow: float | None) -> Wait:
    """Faster jobs may let others get ahead of one: the spread is around the usual time all the same."""
    if eta is None or fast is None or slow is None:
        return Wait(eta)
    return Wait(eta, min(eta, fast, slow), max(eta, fast, slow))


def starting_times(
    turns: Sequence[Turn], capacity: Capacity, pace: Pace, *, now: datetime, policy: SchedulingPolicy
) -> Mapping[str, float | None]:
    """Seconds until each waiting job starts, by its id; None where nobody can know.

    `turns` is the whole queue in the order of starting; those that start now are placed first, then the others in
    order. A job takes the devices that stand idle the shortest before it, so that one waiting for its user's slot
    keeps no device from those behind it.
    """
    remaining = {job.id: pace.remaining_seconds(job) for job in capacity.active}
    devices = _Devices(capacity, remaining)
    slots = _Slots(capacity, remaining, policy)
    starts: dict[str, float | None] = {}
    for turn in sorted(turns, key=lambda turn: not turn.starts_now):
        job = turn.job
        ready = max(slots.next_free(job.user_id), _pause_seconds(job, now))
        if job.gpus > devices.count or ready == _UNKNOWN or capacity.rules.closed_because is not None:
            starts[job.id] = None
            continue
        duration = pace.duration_seconds(job.base_model, job.steps)
        start = devices.take(job.gpus, ready=ready, seconds=duration)
        slots.take(job.user_id, until=start + duration)
        starts[job.id] = None if start == _UNKNOWN else round(start, 1)
    return starts


class _Devices:
    """When each device frees up, in order."""

    def __init__(self, capacity: Capacity, remaining: Mapping[str, float]) -> None:
        times = dict.fromkeys(capacity.leased, _UNKNOWN)
        for job in capacity.active:
            times |= dict.fromkeys(job.gpu_ids, remaining[job.id])
        self._times = sorted(times.get(device, 0.0) for device in capacity.devices)
        self.count = len(self._times)

    def take(self, count: int, *, ready: float, seconds: float) -> float:
        """Hold `count` of them for so long, from `ready` on or when they are there; returns the moment it begins."""
        first = max(0, bisect_right(self._times, ready) - count)
        begin = max(ready, self._times[first + count - 1])
        del self._times[first : first + count]
        for _ in range(count):
            insort(self._times, begin + seconds)
        return begin


class _Slots:
    """For each user, when each of their slots frees up, in order."""

    def __init__(self, capacity: Capacity, remaining: Mapping[str, float], policy: SchedulingPolicy) -> None:
        self._capacity = capacity
        self._policy = policy
        self._times: dict[str, list[float]] = {}
        for job in capacity.active:
            self.take(job.user_id, until=remaining[job.id])

    def next_free(self, user_id: str) -> float:
        """The moment from which the user has fewer active jobs than the limit."""
        times, limit = self._times.get(user_id, []), self._capacity.limit_of(user_id, self._policy)
        if limit == 0:
            return _UNKNOWN
        return times[-limit] if len(times) >= limit else 0.0

    def take(self, user_id: str, *, until: float) -> None:
        times = self._times.setdefault(user_id, [])
        insort(times, until)


def _pause_seconds(job: QueuedJob, now: datetime) -> float:
    return (job.retry_at - now).total_seconds() if job.retry_at is not None else 0.0


def _quantile(values: Sequence[float], share: float) -> float:
    """Between the two values that lie around it, as far towards the higher one as it is nearer to it."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
