"""When a waiting job will start, by playing the queue forward at the speed jobs really run here. Pure."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from orchestrator.domain.estimates import Run
from orchestrator.domain.job import Job
from orchestrator.domain.scheduling import Capacity, QueuedJob, SchedulingPolicy, Turn

_UNKNOWN = math.inf


class Pace:
    """Seconds a step takes: the median of recent runs, of the same base model if there are any."""

    def __init__(self, runs: Iterable[Run]) -> None:
        by_model: dict[str, list[float]] = defaultdict(list)
        for run in runs:
            by_model[run.work.base_model].append(run.seconds / run.steps)
        self._by_model = {model: statistics.median(paces) for model, paces in by_model.items()}
        every = [pace for paces in by_model.values() for pace in paces]
        self._overall = statistics.median(every) if every else _UNKNOWN

    def duration_seconds(self, base_model: str, steps: int) -> float:
        """Infinite while no job has completed here."""
        return steps * self._by_model.get(base_model, self._overall)


def starting_times(
    turns: Sequence[Turn], capacity: Capacity, pace: Pace, *, now: datetime, policy: SchedulingPolicy
) -> Mapping[str, float | None]:
    """Seconds until each waiting job starts, by its id; None where nobody can know.

    `turns` is the whole queue in the order of starting; those that start now are placed first, then the others in
    order. A job takes the devices that stand idle the shortest before it, so that one waiting for its user's slot
    keeps no device from those behind it.
    """
    remaining = {job.id: _remaining_seconds(job, pace) for job in capacity.active}
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


def _remaining_seconds(job: Job, pace: Pace) -> float:
    if job.progress.eta_seconds is not None:
        return job.progress.eta_seconds
    return pace.duration_seconds(job.base_model, job.config.steps)


def _pause_seconds(job: QueuedJob, now: datetime) -> float:
    return (job.retry_at - now).total_seconds() if job.retry_at is not None else 0.0
