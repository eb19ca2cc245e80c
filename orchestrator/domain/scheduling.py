"""Who starts next, on what, and which one rule holds everybody else. Pure; one pass over the whole queue."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from orchestrator.domain import holds
from orchestrator.domain.holds import Hold
from orchestrator.domain.job import Job

CPU_DEVICE_PREFIX = "cpu-"
TOP_PRIORITY = 2
_NO_HOLDS: Mapping[str, str] = MappingProxyType({})


class QueuedJob(NamedTuple):
    """What scheduling needs to know of a waiting job. A tuple, for there may be ten thousand of them."""

    id: str
    user_id: str
    priority: int
    gpus: int
    created_at: datetime
    updated_at: datetime  # when it began to wait: nothing else changes a queued job
    retry_at: datetime | None
    error_message: str | None  # why its last attempt ended
    base_model: str
    steps: int
    hold_reason: str | None = None  # what it needs before it can start, and is being seen to

    @classmethod
    def of(cls, job: Job) -> QueuedJob:
        return cls(
            id=job.id,
            user_id=job.user_id,
            priority=job.priority,
            gpus=job.gpus,
            created_at=job.created_at,
            updated_at=job.updated_at,
            retry_at=job.retry_at,
            error_message=job.error_message,
            base_model=job.base_model,
            steps=job.config.steps,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulingPolicy:
    max_active_per_user: int = 2
    ageing_seconds: float = 1_800.0  # a job that waited so long counts as one priority higher, and so on to the top


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """What administrators decided for now."""

    closed_because: str | None = None  # maintenance: nothing starts; a reason in a sentence's middle
    max_active_by_user: Mapping[str, int] = field(default_factory=dict)  # where it is not the installation's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the machine has, and who holds how much of it."""

    devices: Sequence[str]  # all there are
    leased: frozenset[str]
    active: Sequence[Job]  # pending and running
    suspects: Mapping[str, str]  # devices that failed, with the job each failed last
    rules: HouseRules = HouseRules()

    def limit_of(self, user_id: str, policy: SchedulingPolicy) -> int:
        """How many active jobs the user may have."""
        return self.rules.max_active_by_user.get(user_id, policy.max_active_per_user)

    @property
    def free(self) -> list[str]:
        """Healthy devices first."""
        return sorted((device for device in self.devices if device not in self.leased), key=self.suspects.__contains__)


@dataclass(frozen=True, slots=True)
class Start:
    """A queued job that may start now, with the slot and devices it gets."""

    job: Job
    slot: int
    devices: tuple[str, ...]


class Wait(NamedTuple):
    """Seconds until a job starts, each None where nobody can know.

    Jobs have taken as long as the history of this installation says, so it is likely that the job starts between
    `low_seconds` and `high_seconds`: both or neither are known.
    """

    eta_seconds: float | None = None
    low_seconds: float | None = None
    high_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A waiting job's place in the queue and the one rule that holds it."""

    position: int  # from 1
    hold: Hold
    waiting_since: datetime  # its submission, or the end of its last attempt
    wait: Wait
    user_id: str
    priority: int  # as it was asked for

    @property
    def reason(self) -> str:
        return self.hold.reason

    @property
    def eta_seconds(self) -> float | None:
        return self.wait.eta_seconds


@dataclass(frozen=True, slots=True)
class Turn:
    """A waiting job in the order of starting: held, or started now with a slot and devices."""

    job: QueuedJob
    position: int  # from 1
    hold: Hold | None = None
    slot: int = 0
    devices: tuple[str, ...] = ()

    @property
    def starts_now(self) -> bool:
        return self.hold is None


def survey(
    waiting: Iterable[QueuedJob],
    capacity: Capacity,
    *,
    now: datetime,
    policy: SchedulingPolicy,
    model_holds: Mapping[str, str] = _NO_HOLDS,
) -> list[Turn]:
    """Every waiting job in the order of starting. One that cannot start is passed over, never waited for.

    `model_holds` says why jobs wait whose model is not here, by its id.
    """
    active_by_user = Counter(job.user_id for job in capacity.active)
    supply = _Supply(capacity, policy)
    turns = []
    for position, job in enumerate(in_starting_order(waiting, active_by_user, now=now, policy=policy), start=1):
        hold = _pause(job, now) or _lack(job, model_holds) or supply.shortage(job)
        turns.append(Turn(job, position, hold) if hold else Turn(job, position, None, *supply.take(job)))
    return turns


def in_starting_order(
    waiting: Iterable[QueuedJob], active_by_user: Mapping[str, int], *, now: datetime, policy: SchedulingPolicy
) -> Iterator[QueuedJob]:
    """Priority first, raised by waiting; then the user with the fewest active jobs; then age.

    Each placed job counts as active for the ones behind it, so users take turns.
    """
    levels: dict[int, list[QueuedJob]] = defaultdict(list)
    for job in waiting:
        levels[_effective_priority(job, now, policy)].append(job)
    active = Counter(active_by_user)
    for priority in sorted(levels, reverse=True):
        yield from _taking_turns(levels[priority], active)


def is_cpu(device: str) -> bool:
    return device.startswith(CPU_DEVICE_PREFIX)


def _effective_priority(job: QueuedJob, now: datetime, policy: SchedulingPolicy) -> int:
    waited = max(0.0, (now - job.updated_at).total_seconds())
    return min(TOP_PRIORITY, job.priority + int(waited / policy.ageing_seconds))


def _taking_turns(jobs: list[QueuedJob], active: Counter[str]) -> Iterator[QueuedJob]:
    """Jobs of one priority; `active` counts on. Only the user whose job was placed changes rank, so a heap keeps up."""
    lines: dict[str, deque[QueuedJob]] = defaultdict(deque)
    for job in sorted(jobs, key=lambda job: (job.created_at, job.id)):
        lines[job.user_id].append(job)
    heads = [_rank(line[0], active) for line in lines.values()]
    heapq.heapify(heads)
    while heads:
        *_, user_id = heads[0]
        line = lines[user_id]
        yield line.popleft()
        active[user_id] += 1
        if line:
            heapq.heapreplace(heads, _rank(line[0], active))
        else:
            heapq.heappop(heads)


def _rank(job: QueuedJob, active: Counter[str]) -> tuple[int, datetime, str, str]:
    return active[job.user_id], job.created_at, job.id, job.user_id


def _pause(job: QueuedJob, now: datetime) -> Hold | None:
    if job.retry_at is None or job.retry_at <= now:
        return None
    return holds.tried_again(job.retry_at, job.error_message)


def _lack(job: QueuedJob, model_holds: Mapping[str, str]) -> Hold | None:
    """What the job needs and this machine does not have yet."""
    if job.hold_reason is not None:
        return holds.being_prepared(job.hold_reason)
    reason = model_holds.get(job.base_model)
    return holds.without_model(reason) if reason is not None else None


class _Supply:
    """What is left to hand out while the queue is gone through."""

    def __init__(self, capacity: Capacity, policy: SchedulingPolicy) -> None:
        self._capacity = capacity
        self._policy = policy
        self._slots: dict[str, set[int | None]] = defaultdict(set)
        for job in capacity.active:
            self._slots[job.user_id].add(job.slot)
        self._total = len(capacity.devices)
        self._kind = "CPU slot" if any(map(is_cpu, capacity.devices)) else "GPU"
        self._free = capacity.free
        self._suspects = capacity.suspects

    def shortage(self, job: QueuedJob) -> Hold | None:
        """The rule that holds a job; None when there is a slot and enough devices for it."""
        if self._capacity.rules.closed_because is not None:
            return holds.closed(self._capacity.rules.closed_because)
        limit = self._capacity.limit_of(job.user_id, self._policy)
        if 0 < self._total < job.gpus:
            return holds.too_big(job.gpus, self._total, self._kind)
        if len(self._slots[job.user_id]) >= limit:
            return holds.at_the_limit(limit)
        if len(self._free) >= job.gpus:
            return None
        if job.gpus == 1:
            return holds.no_device(self._total, self._kind)
        return holds.too_few_devices(job.gpus, len(self._free), self._kind)

    def take(self, job: QueuedJob) -> tuple[int, tuple[str, ...]]:
        """A slot and devices, if there are others not those that failed this very job."""
        slots = self._slots[job.user_id]
        slot = next(slot for slot in itertools.count(1) if slot not in slots)
        slots.add(slot)
        best_first = sorted(self._free, key=lambda device: self._suspects.get(device) == job.id)
        devices = tuple(best_first[: job.gpus])
        self._free = [device for device in self._free if device not in devices]
        return slot, devices
