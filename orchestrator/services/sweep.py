"""Removing containers of ours that no attempt expects: left by a crash after the record, or by nobody we know.

A container that built a model and was cut off is such a one too: it names no job. One that still builds is younger than
the grace, or its orchestrator is the one that looks, which does one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from orchestrator.domain.container import Container, EngineSnapshot
from orchestrator.domain.errors import PortError
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.job_store import JobStore, Standing

log = structlog.get_logger()

# What one pass may spend, so that five hundred left-over containers do not keep jobs waiting; the rest has its turn.
MOST_REMOVALS = 20
MOST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A container to remove, and why."""

    container: Container
    why: str


class Sweep:
    """`is_dry_run`: say what would be removed, and remove nothing. `is_thorough`: remove all, however long it takes."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runtime: ContainerRuntime,
        clock: Clock,
        orphan_grace_seconds: float,
        is_dry_run: bool = False,
        is_thorough: bool = False,
    ) -> None:
        self._jobs = jobs
        self._runtime = runtime
        self._clock = clock
        self._orphan_grace = timedelta(seconds=orphan_grace_seconds)
        self._is_dry_run = is_dry_run
        self._is_thorough = is_thorough
        self._told: set[tuple[str, str]] = set()  # (container id, what was said of it)

    def left_over(self, snapshot: EngineSnapshot, expected: Collection[tuple[str, int]]) -> Sequence[LeftOver]:
        """Containers of ours that are not those of the `expected` (job id, attempt)s."""
        unexpected = [each for each in snapshot.containers if (each.job_id, each.attempt) not in expected]
        if not unexpected:
            return []
        standings = self._jobs.standings({each.job_id for each in unexpected})
        judged = ((each, self._why_left_over(each, standings.get(each.job_id), snapshot)) for each in unexpected)
        return [LeftOver(container, why) for container, why in judged if why is not None]

    def remove_left_over(self, snapshot: EngineSnapshot, expected: Collection[tuple[str, int]]) -> int:
        """How many were removed. What the engine keeps, or the pass has no time for, is tried again in the next."""
        left_over = self.left_over(snapshot, expected)
        self._told &= {(each.container.id, said) for each in left_over for said in ("found", "kept")}
        if self._is_dry_run:
            for each in left_over:
                self._tell(each, "found", "left-over container would be removed", why=each.why)
            return 0
        return sum(map(self._remove, left_over)) if self._is_thorough else self._remove_some(left_over)

    def _remove_some(self, left_over: Sequence[LeftOver]) -> int:
        began_at, removed = self._clock.now(), 0
        # Those that would not go have their next try after the others.
        for each in sorted(left_over, key=lambda each: (each.container.id, "kept") in self._told)[:MOST_REMOVALS]:
            removed += self._remove(each)
            if self._clock.now() - began_at >= timedelta(seconds=MOST_SECONDS):
                break
        return removed

    def _remove(self, left_over: LeftOver) -> bool:
        self._tell(left_over, "found", "removing left-over container", why=left_over.why)
        try:
            self._runtime.remove(left_over.container.id)
        except PortError as error:
            self._tell(left_over, "kept", "left-over container not removed", why=left_over.why, error=error.message)
            return False
        return True

    def _tell(self, left_over: LeftOver, said: str, message: str, **facts: str) -> None:
        """Once for each container: one that is stuck would fill the log with every pass."""
        container = left_over.container
        if (container.id, said) not in self._told:
            self._told.add((container.id, said))
            log.warning(message, container_id=container.id, job_id=container.job_id, attempt=container.attempt, **facts)

    def _why_left_over(self, container: Container, job: Standing | None, snapshot: EngineSnapshot) -> str | None:
        if job is None:
            # Both instants are the engine's own: its clock and ours may disagree.
            if container.created_at is None or snapshot.taken_at is None:
                return None
            is_old = snapshot.taken_at - container.created_at > self._orphan_grace
            return "no job of this installation" if is_old else None
        if container.attempt < job.attempt:
            return "an earlier attempt's"
        return None if job.status.is_active else f"its job is {job.status}"
