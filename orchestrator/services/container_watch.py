"""A look at every container of ours now and then, for administrators: the API half has no socket to look through.

Beside the passes, in a thread of its own, so that an engine that is slow to measure holds up no job.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from orchestrator.domain.administration import ContainerDetails, ContainerSample, Usage, cpu_percent
from orchestrator.domain.container import Container, ContainerState
from orchestrator.domain.errors import Deposed, RuntimeUnavailable, StoreUnavailable
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.control_store import ContainerStore
from orchestrator.services.rounds import run_rounds

log = structlog.get_logger()

ROUND_SECONDS = 5.0


class ContainerWatch:
    def __init__(self, *, runtime: ContainerRuntime, store: ContainerStore, clock: Clock) -> None:
        self._runtime = runtime
        self._store = store
        self._clock = clock
        self._details: dict[str, ContainerDetails] = {}  # what a container was made of never changes
        self._usages: dict[str, Usage] = {}  # the last look's

    def run_until(
        self, stop: threading.Event, is_leading: Callable[[], bool], *, pause_seconds: float = ROUND_SECONDS
    ) -> None:
        """Look after look while this process leads."""

        def take() -> float:
            self._round()
            return pause_seconds

        run_rounds(take, stop=stop, is_leading=is_leading, idle_seconds=pause_seconds)

    def look(self) -> None:
        """Store a sample of each container. Raises RuntimeUnavailable, and then the last look stays as it was."""
        samples = [self._sample(listed) for listed in self._runtime.snapshot().containers]
        seen = {sample.container.id for sample in samples}
        self._details = {each: details for each, details in self._details.items() if each in seen}
        self._usages = {each: usage for each, usage in self._usages.items() if each in seen}
        self._store.replace(samples)

    def _round(self) -> None:
        try:
            self.look()
        except (RuntimeUnavailable, StoreUnavailable, Deposed) as error:
            log.info("containers not looked at", error=error.message)

    def _sample(self, listed: Container) -> ContainerSample:
        container = self._runtime.inspect(listed.id) or listed
        usage = self._runtime.usage(container.id) if container.state is ContainerState.RUNNING else None
        before = self._usages.pop(container.id, None)
        if usage is not None:
            self._usages[container.id] = usage
        return ContainerSample(
            container=container,
            details=self._details_of(container.id),
            cpu_percent=cpu_percent(before, usage),
            memory_bytes=usage.memory_bytes if usage else None,
            pids=usage.pids if usage else None,
            sampled_at=self._clock.now(),
        )

    def _details_of(self, container_id: str) -> ContainerDetails | None:
        if container_id not in self._details:
            details = self._runtime.details(container_id)
            if details is None:
                return None
            self._details[container_id] = details
        return self._details[container_id]
