"""What administrators see of containers, and what they decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.container import Container, ContainerState, Mount

MAX_ACTIVE_JOBS = 64  # the highest limit that a user may be given


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Jobs are accepted and queued, and none starts."""

    reason: str
    actor: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDetails:
    """How a container was made; None: without such a limit."""

    image: str
    mounts: tuple[Mount, ...]
    memory_bytes: int | None
    cpus: float | None
    pids: int | None
    shm_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a running container uses at one instant, and the CPU time it took since it began."""

    cpu_seconds: float
    memory_bytes: int
    pids: int
    at: datetime  # by the engine's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSample:
    """One look at a container. Without `details` it went away before it could be asked."""

    container: Container
    details: ContainerDetails | None
    cpu_percent: float | None  # of one CPU; None before a second look
    memory_bytes: int | None
    pids: int | None
    sampled_at: datetime

    @property
    def is_running(self) -> bool:
        return self.container.state is ContainerState.RUNNING


def cpu_percent(before: Usage | None, after: Usage | None) -> float | None:
    """Between two looks, 100 being one whole CPU; None without two of them that lie apart."""
    if before is None or after is None or after.at <= before.at:
        return None
    spent = max(0.0, after.cpu_seconds - before.cpu_seconds)
    return round(100 * spent / (after.at - before.at).total_seconds(), 1)
