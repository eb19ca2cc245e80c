"""Removing containers of ours that no attempt expects: left by a crash after the record, or by nobody we know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from orchestrator.domain.container import Container, EngineSnapshot
from orchestrator.domain.errors import NotFound, PortError
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.job_store import JobStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A container to remove, and why."""

    container: Container
    why: str


class Sweep:
    """`is_dry_run`: say what would be removed, and remove nothing."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runtime: ContainerRuntime,
        clock: Clock,
        orphan_grace_seconds: float,
        is_dry_run: bool = False,
    ) -> None:
        self._jobs = jobs
        self._runtime = runtime
        self._clock = clock
        self._orphan_grace = timedelta(seconds=orphan_grace_seconds)
        self._is_dry_run = is_dry_run

    def left_over(self, snapshot: EngineSnapshot, expected: Collection[tuple[str, int]]) -> Sequence[LeftOver]:
        """Containers of ours that are not those of the `expected` (job id, attempt)s."""
        unexpected = [each for each in snapshot.containers if (each.job_id, each.attempt) not in expected]
        return [LeftOver(each, why) for each in unexpected if (why := self._why_left_over(each)) is not None]

    def remove_left_over(self, snapshot: EngineSnapshot, expected: Collection[tuple[str, int]]) -> int:
        """How many were removed. One that the engine keeps is tried again in the next pass."""
        return sum(self._remove(each) for each in self.left_over(snapshot, expected))

    def _remove(self, left_over: LeftOver) -> bool:
        container = left_over.container
        note = log.bind(container_id=container.id, job_id=container.job_id, attempt=container.attempt)
        if self._is_dry_run:
            note.info("left-over container would be removed", why=left_over.why)
            return False
        note.warning("removing left-over container", why=left_over.why)
        try:
            self._runtime.remove(container.id)
        except PortError as error:
            note.warning("left-over container not removed", error=error.message)
            return False
        return True

    def _why_left_over(self, container: Container) -> str | None:
        try:
            job = self._jobs.get(container.job_id)
        except NotFound:
            oldest = self._clock.now() - self._orphan_grace
            is_old = container.created_at is not None and container.created_at < oldest
            return "no job of this installation" if is_old else None
        if container.attempt < job.attempt:
            return "an earlier attempt's"
        return None if job.status.is_active else f"its job is {job.status}"
