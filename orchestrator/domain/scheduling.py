"""Who starts next, and what a waiting job waits for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.domain.job import Job

CPU_DEVICE_PREFIX = "cpu-"


@dataclass(frozen=True, slots=True)
class Start:
    """A queued job that may start now, with the slot and devices it gets."""

    job: Job
    slot: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A waiting job's place in the queue and the one rule that holds it."""

    position: int  # from 1
    reason: str
    eta_seconds: float | None = None


def in_starting_order(queued: Iterable[Job], active_by_user: Counter[str]) -> list[Job]:
    """Priority first, then the user with the fewest active jobs, then age.

    Each placed job counts as active for the ones behind it, so users take turns.
    """
    waiting = sorted(queued, key=lambda job: job.created_at)
    active = Counter(active_by_user)
    ordered: list[Job] = []
    while waiting:
        best = min(waiting, key=lambda job: (-job.priority, active[job.user_id], job.created_at))
        waiting.remove(best)
        active[best.user_id] += 1
        ordered.append(best)
    return ordered


def plan_starts(
    queued: Sequence[Job], active: Sequence[Job], free_devices: Sequence[str], *, max_active_per_user: int
) -> list[Start]:
    """The queued jobs that can start now. A job that cannot is passed over, never waited for."""
    used_slots = {(job.user_id, job.slot) for job in active}
    active_by_user = Counter(job.user_id for job in active)
    devices = list(free_devices)
    starts: list[Start] = []
    for job in in_starting_order(queued, active_by_user):
        if not devices:
            break
        slot = _free_slot(job.user_id, used_slots, max_active_per_user)
        if slot is None:
            continue
        used_slots.add((job.user_id, slot))
        starts.append(Start(job, slot, (devices.pop(0),)))
    return starts


def place_of(job: Job, queued: Sequence[Job], active: Sequence[Job], *, max_active_per_user: int) -> Place:
    """Where a queued job stands and why it waits."""
    active_by_user = Counter(other.user_id for other in active)
    order = [other.id for other in in_starting_order(queued, active_by_user)]
    position = order.index(job.id) + 1 if job.id in order else 1
    mine = [other for other in active if other.user_id == job.user_id]
    if len(mine) >= max_active_per_user:
        return Place(
            position=position,
            reason=f"your limit of {max_active_per_user} running jobs: starts when one of them ends",
            eta_seconds=_soonest(mine),
        )
    return Place(position=position, reason="no GPU or CPU slot is free", eta_seconds=_soonest(active))


def is_cpu(device: str) -> bool:
    return device.startswith(CPU_DEVICE_PREFIX)


def _free_slot(user_id: str, used: set[tuple[str, int | None]], limit: int) -> int | None:
    return next((slot for slot in range(1, limit + 1) if (user_id, slot) not in used), None)


def _soonest(active: Iterable[Job]) -> float | None:
    known = [job.progress.eta_seconds for job in active if job.progress.eta_seconds is not None]
    return min(known, default=None)
