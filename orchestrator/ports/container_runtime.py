"""The Docker Engine, as far as Lorry uses one. Nothing here needs the engine to be local."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.domain.administration import ContainerDetails, Usage
from orchestrator.domain.container import Container, ContainerSpec, EngineSnapshot
from orchestrator.domain.engine import EngineFacts


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line a container printed. `at` is Docker's timestamp as text: RFC 3339 with nine fraction digits."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class LogBite:
    """Lines of a container's log, oldest first. Not complete: the engine holds more than was read."""

    lines: tuple[LogLine, ...] = ()
    is_complete: bool = True


class ContainerRuntime(Protocol):
    """Errors of every method: RuntimeUnavailable when the engine did not answer, which proves nothing."""

    def facts(self) -> EngineFacts: ...

    def image_digest(self, image: str) -> str | None:
        """The id (sha256:...) of a local image, None when there is none. Never pulls."""

    def snapshot(self) -> EngineSnapshot:
        """All containers of this installation, whatever their state, without a call for each."""

    def create(self, spec: ContainerSpec) -> Container:
        """Create, not start. When the name is taken by our own container of this attempt, return that one.

        Raises LaunchRefused (image missing or not allowed, name taken by a foreign container, mount source missing).
        """

    def start(self, container_id: str) -> None:
        """Safe to repeat. Raises LaunchRefused with GPU_UNAVAILABLE, or LAUNCH_REFUSED with the engine's own words."""

    def inspect(self, container_id: str) -> Container | None:
        """Everything known about a container; None when it is gone."""

    def details(self, container_id: str) -> ContainerDetails | None:
        """How a container was made; None when it is gone."""

    def usage(self, container_id: str) -> Usage | None:
        """What a container uses right now, in one short call; None when it is gone or does not run."""

    def signal(self, container_id: str, name: str) -> None:
        """Send a signal such as SIGTERM; a container that is gone or not running is fine."""

    def unpause(self, container_id: str) -> None:
        """Let a paused container go on; one that is gone or not paused is fine."""

    def logs(self, container_id: str, *, since: str | None, limit_bytes: int) -> LogBite:
        """Lines printed at or after `since`, until `limit_bytes` or about a second.

        Empty and complete when the container is gone, or when the engine cannot read its log.
        """

    def remove(self, container_id: str) -> None:
        """Kill if needed and remove, with its anonymous volumes; one that is already gone is fine."""
