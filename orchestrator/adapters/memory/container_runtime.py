"""An engine in memory: containers are rows, and what runs inside them is scripted."""

from __future__ import annotations

import copy
import dataclasses
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.domain.administration import ContainerDetails, Usage
from orchestrator.domain.container import (
    DATASET_PATH,
    LABEL_ATTEMPT,
    LABEL_INSTANCE,
    LABEL_JOB,
    Container,
    ContainerSpec,
    ContainerState,
    EngineSnapshot,
)
from orchestrator.domain.engine import EngineFacts
from orchestrator.domain.errors import LaunchRefused, RuntimeUnavailable
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import LogBite, LogLine

_SIGKILL_EXIT = 137
_SIGTERM_EXIT = 143


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a container does once started: prints its lines, then exits at once, or runs on when there is no code."""

    lines: tuple[str, ...] = ()
    exit_code: int | None = None
    is_oom_killed: bool = False
    obeys_sigterm: bool = True
    survives_sigkill: bool = False


@dataclass(slots=True)
class _Row:
    container: Container
    spec: ContainerSpec
    labels: Mapping[str, str]
    program: Program = field(default_factory=Program)
    lines: list[LogLine] = field(default_factory=list)


def run_until_told(_spec: ContainerSpec) -> Program:
    return Program()


class MemoryContainerRuntime:
    """Change the public attributes to change the engine: unplug it, take its images, swap its data root."""

    def __init__(
        self,
        *,
        clock: Clock,
        instance: str = "test",
        images: Mapping[str, str] | None = None,
        program: Callable[[ContainerSpec], Program] = run_until_told,
    ) -> None:
        self.is_reachable = True
        self.engine_id = "engine-1"
        self.has_gpu_driver = False
        self.broken_devices: set[str] = set()
        self.images = dict(images or {"training-image": "sha256:" + "1" * 64})
        self.allowed_images = frozenset(self.images)
        self.missing_paths: set[str] = set()
        self.program = program
        self._clock = clock
        self._instance = instance
        self._rows: dict[str, _Row] = {}
        self._creating = threading.Lock()
        self._printed = 0

    # -- ContainerRuntime ---------------------------------------------------------------------------------------

    def facts(self) -> EngineFacts:
        self._require_engine()
        return EngineFacts(engine_id=self.engine_id, version="memory", has_nvidia_runtime=self.has_gpu_driver)

    def image_digest(self, image: str) -> str | None:
        self._require_engine()
        return self.images.get(image)

    def snapshot(self) -> EngineSnapshot:
        self._require_engine()
        ours = [row.container for row in self._rows.values() if row.labels[LABEL_INSTANCE] == self._instance]
        return EngineSnapshot(self.engine_id, tuple(map(_as_listed, ours)), taken_at=self._clock.now())

    def create(self, spec: ContainerSpec) -> Container:
        self._require_engine()
        if spec.image not in self.allowed_images:
            raise LaunchRefused(EndReason.IMAGE_NOT_ALLOWED, f"The image {spec.image} is not allowed.")
        self._require_sources(spec)
        if spec.image not in self.images:
            raise LaunchRefused(EndReason.IMAGE_MISSING, f"The image {spec.image} is not on this machine.")
        with self._creating:
            return self._create_or_adopt(spec, {**spec.labels, LABEL_INSTANCE: self._instance})

    def start(self, container_id: str) -> None:
        self._require_engine()
        row = self._rows.get(container_id)
        if row is None:
            raise LaunchRefused(EndReason.CONTAINER_LOST, "The container disappeared before it was started.")
        if row.container.started_at is not None:
            return
        if row.spec.devices and not self.has_gpu_driver:
            self._change(row, error="could not select device driver")
            raise LaunchRefused(EndReason.GPU_UNAVAILABLE, "A GPU is required, but the engine has no driver for it.")
        if not self.broken_devices.isdisjoint(row.spec.devices):
            self._change(row, error="nvidia-container-cli: device error")
            raise LaunchRefused(EndReason.GPU_FAILED, "The GPU or its driver refused the container.")
        self._change(row, state=ContainerState.RUNNING, started_at=self._clock.now())
        row.program = self.program(row.spec)
        self.print(container_id, *row.program.lines)
        if row.program.exit_code is not None:
            self.finish(container_id, row.program.exit_code, is_oom_killed=row.program.is_oom_killed)

    def inspect(self, container_id: str) -> Container | None:
        self._require_engine()
        row = self._rows.get(container_id)
        return row.container if row else None

    def details(self, container_id: str) -> ContainerDetails | None:
        self._require_engine()
        row = self._rows.get(container_id)
        if row is None:
            return None
        limits = row.spec.limits
        return ContainerDetails(
            image=row.spec.image,
            mounts=row.spec.mounts,
            memory_bytes=limits.memory_bytes,
            cpus=limits.cpus,
            pids=limits.pids,
            shm_bytes=limits.shm_bytes,
        )

    def usage(self, container_id: str) -> Usage | None:
        """Half of a CPU since it was started, and a mebibyte."""
        self._require_engine()
        row = self._rows.get(container_id)
        if row is None or row.container.state is not ContainerState.RUNNING or row.container.started_at is None:
            return None
        ran_seconds = (self._clock.now() - row.container.started_at).total_seconds()
        return Usage(cpu_seconds=ran_seconds / 2, memory_bytes=1024**2, pids=1, at=self._clock.now())

    def signal(self, container_id: str, name: str) -> None:
        self._require_engine()
        row = self._rows.get(container_id)
        if row is None or row.container.state not in (ContainerState.RUNNING, ContainerState.PAUSED):
            return
        if name == "SIGKILL" and not row.program.survives_sigkill:
            self.finish(container_id, _SIGKILL_EXIT)
        elif name == "SIGTERM" and row.program.obeys_sigterm:
            self.finish(container_id, _SIGTERM_EXIT)

    def unpause(self, container_id: str) -> None:
        self._require_engine()
        row = self._rows.get(container_id)
        if row is not None and row.container.state is ContainerState.PAUSED:
            self._change(row, state=ContainerState.RUNNING)

    def logs(self, container_id: str, *, since: str | None, limit_bytes: int) -> LogBite:
        self._require_engine()
        row = self._rows.get(container_id)
        taken: list[LogLine] = []
        size_bytes = 0
        for line in row.lines if row else ():
            if since is not None and line.at < since:
                continue
            size_bytes += len(line.at) + len(line.text.encode())
            if taken and size_bytes > limit_bytes:
                return LogBite(tuple(taken), is_complete=False)
            taken.append(line)
        return LogBite(tuple(taken))

    def remove(self, container_id: str) -> None:
        self._require_engine()
        self._rows.pop(container_id, None)

    # -- what tests do to it ------------------------------------------------------------------------------------

    def finish(self, container_id: str, exit_code: int, *, is_oom_killed: bool = False) -> None:
        """The container's program ends."""
        self._change(
            self._rows[container_id],
            state=ContainerState.EXITED,
            finished_at=self._clock.now(),
            exit_code=exit_code,
            is_oom_killed=is_oom_killed,
        )

    def pause(self, container_id: str) -> None:
        """Somebody pauses the container behind our back."""
        self._change(self._rows[container_id], state=ContainerState.PAUSED)

    def print(self, container_id: str, *lines: str) -> None:
        """The container prints."""
        for text in lines:
            self._printed += 1
            self._rows[container_id].lines.append(LogLine(_nanoseconds(self._clock.now(), self._printed), text))

    def rotate(self, container_id: str, *, keep: int) -> None:
        """The engine drops all but the last `keep` lines of the container's log."""
        lines = self._rows[container_id].lines
        del lines[: len(lines) - keep]

    def lose(self, container_id: str) -> None:
        """Somebody removes the container behind our back."""
        del self._rows[container_id]

    def of_instance(self, instance: str) -> MemoryContainerRuntime:
        """Another installation's view of the same engine."""
        other = copy.copy(self)
        other._instance = instance  # noqa: SLF001 - a copy of our own
        return other

    # -- inside -------------------------------------------------------------------------------------------------

    def _create_or_adopt(self, spec: ContainerSpec, labels: Mapping[str, str]) -> Container:
        holder = next((row for row in self._rows.values() if row.container.name == spec.name), None)
        if holder is None:
            container = Container(
                id=uuid.uuid4().hex * 2,
                name=spec.name,
                job_id=labels.get(LABEL_JOB, ""),
                attempt=int(labels.get(LABEL_ATTEMPT, "0")),
                state=ContainerState.CREATED,
                created_at=self._clock.now(),
                image_digest=self.images[spec.image],
            )
            self._rows[container.id] = _Row(container, spec, labels)
            return container
        if any(holder.labels.get(label) != labels.get(label) for label in (LABEL_INSTANCE, LABEL_JOB, LABEL_ATTEMPT)):
            message = f"The name {spec.name} is taken by a container that is not this attempt's."
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, message)
        return holder.container

    def _require_engine(self) -> None:
        if not self.is_reachable:
            raise RuntimeUnavailable("The engine in memory is unplugged.")

    def _require_sources(self, spec: ContainerSpec) -> None:
        for mount in spec.mounts:
            if mount.source in self.missing_paths:
                is_dataset = mount.target == DATASET_PATH
                reason = EndReason.DATASET_MISSING if is_dataset else EndReason.LAUNCH_REFUSED
                raise LaunchRefused(reason, f"What should be mounted at {mount.target} is not there.")

    @staticmethod
    def _change(row: _Row, **changes: object) -> None:
        row.container = dataclasses.replace(row.container, **changes)  # type: ignore[arg-type]


def _as_listed(container: Container) -> Container:
    """As much as an engine's list says."""
    return Container(
        id=container.id,
        name=container.name,
        job_id=container.job_id,
        attempt=container.attempt,
        state=container.state,
        created_at=container.created_at,
    )


def _nanoseconds(now: datetime, count: int) -> str:
    """Docker's timestamp format; `count` keeps lines of one instant apart and in order."""
    nanoseconds = now.microsecond * 1000 + count
    return f"{now:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09d}Z"
