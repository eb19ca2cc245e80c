"""`decide`: the only place with judgement about a running job. Pure, so every case is a line in a table test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain.container import Container, ContainerState, Observation, Presence
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.lifecycle import EndReason, JobStatus, reason_for_exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Patience, in seconds; and what a job may use."""

    launch_grace_seconds: float = 300.0  # intent written to container started
    stop_grace_seconds: float = 60.0  # SIGTERM to SIGKILL: time for a checkpoint
    kill_again_seconds: float = 10.0  # between one SIGKILL and the next
    max_runtime_seconds: float = 86_400.0  # first start to end, unless the job asks for less
    stall_seconds: float = 1_800.0  # without a word from the trainer
    outputs_max_bytes: int = 50 * 1024**3


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do but take in what the trainer wrote; its log too when `container` is known."""

    container: Container | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """Create the container of this attempt, or adopt and start the one that is already created."""


@dataclass(frozen=True, slots=True)
class MarkRunning:
    """The container runs, the record does not say so yet."""

    container: Container


@dataclass(frozen=True, slots=True)
class Terminate:
    """Send SIGTERM and note when and why."""

    container: Container
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Kill:
    """Send SIGKILL: the grace is over, or the last SIGKILL did not help."""

    container: Container


@dataclass(frozen=True, slots=True)
class Unpause:
    """Let a paused container go on: nobody who watches the job could tell it from one that hangs."""

    container: Container


@dataclass(frozen=True, slots=True)
class MissEngine:
    """Tell the job's owner, once, that the engine its container is on was replaced by another."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """The container has exited with 0: look for evidence, then end the job."""

    container: Container


@dataclass(frozen=True, slots=True)
class Finish:
    """End the job for `reason`; `container` is what remains to be read and removed, if anything."""

    reason: EndReason
    container: Container | None = None


Act = Launch | MarkRunning | Terminate | Kill | Unpause | MissEngine | Conclude | Finish
Decision = Wait | Act

_STOPPED = (ContainerState.EXITED, ContainerState.DEAD)


def decide(job: Job, attempt: Attempt, observation: Observation, now: datetime, policy: Policy) -> Decision:
    """What to do about an active job's newest attempt, given what is known of its container."""
    if observation.presence is Presence.UNKNOWN:
        return Wait()
    if observation.presence is Presence.ELSEWHERE:
        return _decide_elsewhere(job, attempt, now, policy)
    container = observation.container
    if container is None:
        return _decide_absent(job, attempt, now, policy)
    if container.state in _STOPPED:
        return _decide_stopped(job, attempt, container)
    if container.state is ContainerState.REMOVING:
        return Wait(container)
    if container.state is ContainerState.CREATED:
        return _decide_created(job, attempt, container, now, policy)
    return _decide_live(job, attempt, container, now, policy)


def _decide_live(job: Job, attempt: Attempt, container: Container, now: datetime, policy: Policy) -> Decision:
    if attempt.stop_requested_at is not None or job.kill_at is not None:
        return _decide_kill(job, attempt, container, now, policy)
    stop_reason = _stop_reason(job, attempt, now, policy)
    if stop_reason is not None:
        return Terminate(container, stop_reason)
    if container.state is ContainerState.PAUSED:
        return Unpause(container)
    if job.status is JobStatus.PENDING:
        return MarkRunning(container)
    return Wait(container)


def _decide_elsewhere(job: Job, attempt: Attempt, now: datetime, policy: Policy) -> Decision:
    """The container may live on, on an engine that may come back, so its job is neither ended nor tried again.

    Only its owner can say that this is not worth waiting for: a cancel ends it after the grace any container has, one
    that gives no time to save at once.
    """
    if job.cancel_requested_at is not None:
        grace_ends_at = job.cancel_requested_at + timedelta(seconds=policy.stop_grace_seconds)
        if now > min(grace_ends_at, job.kill_at or grace_ends_at):
            return Finish(EndReason.CANCEL_REQUESTED)
    return MissEngine() if attempt.engine_missed_at is None else Wait()


def _decide_absent(job: Job, attempt: Attempt, now: datetime, policy: Policy) -> Decision:
    if job.is_cancel_requested:
        return Finish(EndReason.CANCEL_REQUESTED)
    if attempt.container_id is not None or job.status is JobStatus.RUNNING:
        return Finish(EndReason.CONTAINER_LOST)
    if _is_late(attempt, now, policy):
        return Finish(EndReason.LAUNCH_TIMED_OUT)
    return Launch()


def _decide_created(job: Job, attempt: Attempt, container: Container, now: datetime, policy: Policy) -> Decision:
    if job.is_cancel_requested:
        return Finish(EndReason.CANCEL_REQUESTED, container)
    if job.status is JobStatus.RUNNING:
        return Finish(EndReason.CONTAINER_INCONSISTENT, container)
    if container.error:
        return Finish(EndReason.LAUNCH_REFUSED, container)
    if _is_late(attempt, now, policy):
        return Finish(EndReason.LAUNCH_TIMED_OUT, container)
    return Launch()


def _decide_stopped(job: Job, attempt: Attempt, container: Container) -> Decision:
    if container.started_at is None:
        return Finish(EndReason.CANCEL_REQUESTED if job.is_cancel_requested else EndReason.LAUNCH_REFUSED, container)
    reason = reason_for_exit(container.exit_code or 0, is_oom_killed=container.is_oom_killed)
    if reason is None and container.state is ContainerState.EXITED:
        # An adapter that was finished before the signal landed is kept: nothing a user paid for is thrown away.
        return Conclude(container)
    if job.is_cancel_requested:
        return Finish(EndReason.CANCEL_REQUESTED, container)
    if container.state is ContainerState.DEAD:
        return Finish(EndReason.CONTAINER_DEAD, container)
    return Finish(attempt.stop_reason or reason or EndReason.KILLED, container)


def _stop_reason(job: Job, attempt: Attempt, now: datetime, policy: Policy) -> EndReason | None:
    """Why a container that runs must be stopped, if it must."""
    if job.is_cancel_requested:
        return EndReason.CANCEL_REQUESTED
    longest = min(job.max_runtime_seconds or policy.max_runtime_seconds, policy.max_runtime_seconds)
    if job.started_at is not None and now - job.started_at > timedelta(seconds=longest):
        return EndReason.RUN_TIME_EXCEEDED
    last_heard_at = attempt.last_event_at or attempt.started_at
    if last_heard_at is not None and now - last_heard_at > timedelta(seconds=policy.stall_seconds):
        return EndReason.STALLED
    if attempt.outputs_bytes > policy.outputs_max_bytes:
        return EndReason.OUTPUTS_TOO_LARGE
    return None


def _decide_kill(job: Job, attempt: Attempt, container: Container, now: datetime, policy: Policy) -> Decision:
    # What its owner was told stands, whatever the setting is by now.
    kill_at = job.kill_at or (attempt.stop_requested_at or now) + timedelta(seconds=policy.stop_grace_seconds)
    if now < kill_at:
        return Wait(container)
    if attempt.killed_at is None or now - attempt.killed_at >= timedelta(seconds=policy.kill_again_seconds):
        return Kill(container)
    return Wait(container)


def _is_late(attempt: Attempt, now: datetime, policy: Policy) -> bool:
    return now - attempt.created_at > timedelta(seconds=policy.launch_grace_seconds)
