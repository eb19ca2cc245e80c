"""`python -m tests.faults.kill_points orchestrate`: the real `lorry`, killed by SIGKILL at the point CRASH_AT names.

The product has no hook for this: the methods that a pass goes through are wrapped here, in the process that dies.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from cli.main import main
from orchestrator.adapters.docker.runtime import DockerContainerRuntime
from orchestrator.adapters.filesystem.artifact_store import FilesystemArtifactStore
from orchestrator.adapters.filesystem.workspace import FilesystemWorkspace
from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.services.collect import Collect

PROGRAM = (sys.executable, "-m", "tests.faults.kill_points")


def _any(*_: Any, **__: Any) -> bool:
    return True


def _first_id(job: Any, attempt: Any = None, **_: Any) -> bool:
    """The save that records a container's id."""
    return job.status is JobStatus.PENDING and attempt is not None and attempt.container_id is not None


def _running(job: Any, *_: Any, events: Any = (), **__: Any) -> bool:
    return any(event.new_status == JobStatus.RUNNING for event in events)


def _taking_in(*_: Any, metrics: Any = (), **__: Any) -> bool:
    return bool(metrics)


def _everything(artifacts: Any, **_: Any) -> bool:
    """The collection of a container that has ended, and not of a picture while it runs."""
    return len(artifacts) > 1


def _stop_asked(job: Any, attempt: Any = None, **_: Any) -> bool:
    return attempt is not None and attempt.stop_requested_at is not None and job.status.is_active


def _end(job: Any, *_: Any, **__: Any) -> bool:
    return job.status.is_final


def _requeued(job: Any, attempt: Any = None, **_: Any) -> bool:
    return job.status is JobStatus.QUEUED and attempt is not None


@dataclass(frozen=True)
class KillPoint:
    """Before or after a call of a method whose arguments it applies to."""

    owner: type
    method: str
    applies: Callable[..., bool] = _any
    is_before: bool = False

    def arm(self) -> None:
        original = getattr(self.owner, self.method)

        @wraps(original)
        def deadly(instance: Any, *arguments: Any, **named: Any) -> Any:
            is_deadly = self.applies(*arguments, **named)
            if is_deadly and self.is_before:
                _die()
            result = original(instance, *arguments, **named)
            if is_deadly:
                _die()
            return result

        setattr(self.owner, self.method, deadly)


# One point for each state of store, engine and disk that a crash can leave behind.
KILL_POINTS = {
    # a job that is started and trains
    "after_claim": KillPoint(SqlJobStore, "claim"),
    "after_config_written": KillPoint(FilesystemWorkspace, "prepare"),
    "after_create": KillPoint(DockerContainerRuntime, "create"),
    "after_container_recorded": KillPoint(SqlJobStore, "save", _first_id),
    "after_start": KillPoint(DockerContainerRuntime, "start"),
    "after_running_recorded": KillPoint(SqlJobStore, "save", _running),
    "after_metrics_recorded": KillPoint(SqlJobStore, "advance", _taking_in),
    "after_sample_copied": KillPoint(FilesystemArtifactStore, "take"),
    "after_sample_recorded": KillPoint(SqlRecordStore, "add_artifacts"),
    "after_log_written": KillPoint(FilesystemWorkspace, "append_log"),
    # and ends
    "before_collect": KillPoint(Collect, "conclude", is_before=True),
    "after_artifacts_recorded": KillPoint(SqlRecordStore, "add_artifacts", _everything),
    "after_collect": KillPoint(Collect, "conclude"),
    "after_end_recorded": KillPoint(SqlJobStore, "save", _end),
    "after_remove": KillPoint(DockerContainerRuntime, "remove"),
    # or is stopped, or tried again
    "after_signal": KillPoint(DockerContainerRuntime, "signal"),
    "after_stop_recorded": KillPoint(SqlJobStore, "save", _stop_asked),
    "after_requeue": KillPoint(SqlJobStore, "save", _requeued),
}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if point := os.environ.get("CRASH_AT"):
        KILL_POINTS[point].arm()
    main()
