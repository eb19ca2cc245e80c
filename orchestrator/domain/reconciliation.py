"""`decide`: the only place with judgement about a running job. Pure, so every case is a line in a table test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain.container import Container, ContainerState, Observation, Presence
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.lifecycle import EndReason, JobStatus, reason_for_exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Patience, in seconds."""

    launch_grace_seconds: float = 300.0  # intent written to container started
    stop_grace_seconds: float = 60.0  # SIGTERM to SIGKILL: time for a checkpoint


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do but take in what the trainer wrote."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Create the container of this attempt, or adopt and start the one that is already created."""


@dataclass(frozen=True, slots=True)
class MarkRunning:
    """The container runs, the record does not say so yet."""

    container: Container


@dataclass(frozen=True, slots=True)
class Terminate:
    """Send SIGTERM and note when."""

    container: Container


@dataclass(frozen=True, slots=True)
class Kill:
    """Send SIGKILL: the grace is over."""

    container: Container


@dataclass(frozen=True, slots=True)
class Conclude:
    """The container has exited with 0: look for evidence, then end the job."""

    container: Container


@dataclass(frozen=True, slots=True)
class Finish:
    """End the job for `reason`; `container` is what remains to be read and removed, if anything."""

    reason: EndReason
    container: Container | None = None


Decision = Wait | Launch | MarkRunning | Terminate | Kill | Conclude | Finish

_STOPPED = (ContainerState.EXITED, ContainerState.DEAD)


def decide(job: Job, attempt: Attempt, observation: Observation, now: datetime, policy: Policy) -> Decision:
    """What to do about an active job's newest attempt, given what is known of its container."""
    if observation.presence is Presence.UNKNOWN:
        return Wait()
    container = observation.container
    if container is None:
        return _decide_absent(job, attempt, now, policy)
    if container.state in _STOPPED:
        return _decide_stopped(job, container)
    if container.state is ContainerState.REMOVING:
        return Wait()
    if container.state is ContainerState.CREATED:
        return _decide_created(job, attempt, container, now, policy)
    if job.is_cancel_requested:
        return _decide_stop(attempt, container, now, policy)
    if job.status is JobStatus.PENDING:
        return MarkRunning(container)
    return Wait()


def _decide_absent(job: Job, attempt: Attempt, now: datetime, policy: Policy) -> Decision:
    if job.is_cancel_requested:
        return Finish(EndReason.CANCEL_REQUESTED)
    if attempt.container_id is not None:
        return Finish(EndReason.CONTAINER_LOST)
    if _is_late(attempt, now, policy):
        return Finish(EndReason.LAUNCH_TIMED_OUT)
    return Launch()


def _decide_created(job: Job, attempt: Attempt, container: Container, now: datetime, policy: Policy) -> Decision:
    if job.is_cancel_requested:
        return Finish(EndReason.CANCEL_REQUESTED, container)
    if container.error:
        return Finish(EndReason.LAUNCH_REFUSED, container)
    if _is_late(attempt, now, policy):
        return Finish(EndReason.LAUNCH_TIMED_OUT, container)
    return Launch()


def _decide_stopped(job: Job, container: Container) -> Decision:
    if container.started_at is None:
        return Finish(EndReason.LAUNCH_REFUSED, container)
    reason = reason_for_exit(container.exit_code or 0, is_oom_killed=container.is_oom_killed)
    if reason is None and container.state is ContainerState.EXITED:
        # An adapter that was finished before the cancel landed is kept: nothing a user paid for is thrown away.
        return Conclude(container)
    if job.is_cancel_requested:
        return Finish(EndReason.CANCEL_REQUESTED, container)
    return Finish(reason or EndReason.KILLED, container)


def _decide_stop(attempt: Attempt, container: Container, now: datetime, policy: Policy) -> Decision:
    if attempt.stop_requested_at is None:
        return Terminate(container)
    if now - attempt.stop_requested_at >= timedelta(seconds=policy.stop_grace_seconds):
        return Kill(container)
    return Wait()


def _is_late(attempt: Attempt, now: datetime, policy: Policy) -> bool:
    return now - attempt.created_at > timedelta(seconds=policy.launch_grace_seconds)
