"""`run_once`: load, observe, decide, act, record. The only place with sequence; the judgement is `decide`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

import structlog
from structlog.contextvars import bound_contextvars

from orchestrator.domain.container import (
    Container,
    ContainerState,
    EngineSnapshot,
    Observation,
    Presence,
    observe,
)
from orchestrator.domain.errors import (
    Deposed,
    LaunchRefused,
    RuntimeUnavailable,
    SlotTaken,
    StaleJob,
    StoreUnavailable,
)
from orchestrator.domain.events import JobEvent, status_event
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.lifecycle import ENDINGS, JobStatus, RetryClass
from orchestrator.domain.reconciliation import (
    Act,
    Conclude,
    Finish,
    Kill,
    Launch,
    MarkRunning,
    MissEngine,
    Policy,
    Terminate,
    Unpause,
    Wait,
    decide,
)
from orchestrator.domain.retry import Retry, RetryPolicy, retry_after
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.meter import Meter
from orchestrator.ports.steps import Steps
from orchestrator.ports.wake_up import WakeUp
from orchestrator.services.collect import Collect, Verdict
from orchestrator.services.engine_watch import EngineWatch
from orchestrator.services.ingest import Ingest
from orchestrator.services.launch import Launch as Launcher
from orchestrator.services.live_checkpoints import LiveCheckpoints
from orchestrator.services.schedule import Schedule
from orchestrator.services.sweep import Sweep

log = structlog.get_logger()

# A process that survives so many SIGKILLs hangs in the kernel, in a GPU driver most likely. Its slot stays taken.
STUCK_AFTER_KILLS = 3
# A step that failed for a reason nobody foresaw would fail again at once, with a traceback in the log each time.
UNFORESEEN_PAUSE = timedelta(seconds=5)


@dataclass(slots=True)
class Pass:
    """What one pass did; a step it began is counted when that is over."""

    is_engine_reachable: bool = True
    active: int = 0
    started: int = 0
    finished: int = 0
    retried: int = 0
    removed: int = 0
    failed_steps: int = 0


class Reconciler:
    def __init__(
        self,
        *,
        jobs: JobStore,
        runtime: ContainerRuntime,
        engine_watch: EngineWatch,
        schedule: Schedule,
        launcher: Launcher,
        ingest: Ingest,
        collect: Collect,
        live_checkpoints: LiveCheckpoints,
        sweep: Sweep,
        steps: Steps,
        wake_up: WakeUp,
        clock: Clock,
        meter: Meter,
        policy: Policy,
        retry_policy: RetryPolicy,
    ) -> None:
        self._jobs = jobs
        self._runtime = runtime
        self._engine_watch = engine_watch
        self._schedule = schedule
        self._launcher = launcher
        self._ingest = ingest
        self._collect = collect
        self._live_checkpoints = live_checkpoints
        self._sweep = sweep
        self._steps = steps
        self._wake_up = wake_up
        self._clock = clock
        self._meter = meter
        self._policy = policy
        self._retry_policy = retry_policy
        self._put_off_until: dict[str, datetime] = {}

    def run_once(self, is_stopping: Callable[[], bool] = lambda: False) -> Pass:
        """One pass over everything. A job's failure is logged and never stops the pass; once `is_stopping`, the step
        at hand is the last one.

        Raises StoreUnavailable: without the store there is nothing to do; Deposed: another orchestrator does it.
        """
        done = Pass()
        self._steps.settle()
        active = self._jobs.active()
        snapshot, status = self._engine_watch.look()
        done.active, done.is_engine_reachable = len(active), snapshot is not None
        going_on = self._advance_all(active, snapshot, done, is_stopping)
        if snapshot is not None and status.problem is None:
            self._start_waiting(snapshot, done, is_stopping)
        self._follow_all(going_on, done, is_stopping)
        if snapshot is not None and not is_stopping():
            done.removed += self._sweep.remove_left_over(snapshot, self._expected(active, snapshot))
        return done

    def _expected(self, active: Sequence[tuple[Job, Attempt]], snapshot: EngineSnapshot) -> set[tuple[str, int]]:
        """Whose containers are no left-overs: active attempts', and those of jobs whose end is about to remove them."""
        busy = {(each.job_id, each.attempt) for each in snapshot.containers if self._steps.is_busy(each.job_id)}
        return busy | {(job.id, attempt.number) for job, attempt in active}

    # -- observe ------------------------------------------------------------------------------------------------

    def _observe(self, job: Job, attempt: Attempt, snapshot: EngineSnapshot | None) -> Observation:
        seen = observe(snapshot, job_id=job.id, attempt=attempt.number, engine_id=attempt.engine_id)
        if seen.container is None:
            return seen
        if seen.container.state is ContainerState.RUNNING and job.status is JobStatus.RUNNING:
            return seen  # a list says all there is to know about a container that simply runs
        detailed = self._runtime.inspect(seen.container.id)
        return Observation(Presence.PRESENT, detailed) if detailed else Observation(Presence.UNKNOWN)

    # -- act and record -----------------------------------------------------------------------------------------

    def _advance_all(
        self,
        active: Sequence[tuple[Job, Attempt]],
        snapshot: EngineSnapshot | None,
        done: Pass,
        is_stopping: Callable[[], bool],
    ) -> Sequence[tuple[Job, Attempt, Container | None]]:
        """Returns those that simply go on: to read what they wrote takes longest, and waits for what must be done."""
        going_on = []
        for job, attempt in active:
            if is_stopping():
                break
            if self._steps.is_busy(job.id) or self._is_put_off(job.id):
                continue
            with bound_contextvars(job_id=job.id, attempt=attempt.number), self._guarded(job, done):
                observation = self._observe(job, attempt, snapshot)
                match decide(job, attempt, observation, self._clock.now(), self._policy):
                    case Wait(container):
                        going_on.append((job, attempt, container))
                    case act:
                        self._act(job, attempt, act, done)
        return going_on

    def _follow_all(
        self,
        going_on: Sequence[tuple[Job, Attempt, Container | None]],
        done: Pass,
        is_stopping: Callable[[], bool],
    ) -> None:
        """Also while the engine is silent: what the trainer reports is a file."""
        for job, attempt, container in going_on:
            if is_stopping():
                break
            with bound_contextvars(job_id=job.id, attempt=attempt.number), self._guarded(job, done):
                self._ingest.follow(job, attempt, container)
                step = self._live_checkpoints.due(job, attempt)
                if step is not None:
                    self._begin(job, partial(self._live_checkpoints.take, job, attempt, step), done)

    def _act(self, job: Job, attempt: Attempt, act: Act, done: Pass) -> None:
        match act:
            case Launch():
                self._begin(job, lambda: self._launch(job, attempt, done), done)
            case MarkRunning(container):
                self._mark_running(job, attempt, container)
            case Terminate() | Kill() | Unpause():
                self._push(job, attempt, act)
            case MissEngine():
                self._miss_engine(job, attempt)
            case Conclude() | Finish():
                self._begin(job, lambda: self._end(job, attempt, act, done), done)
            case _:
                assert_never(act)

    def _launch(self, job: Job, attempt: Attempt, done: Pass) -> None:
        try:
            job, attempt = self._launcher.launch(job, attempt)
        except LaunchRefused as error:
            self._refuse(job.id, Verdict(error.reason, error.message), done)
            return
        container = self._runtime.inspect(attempt.container_id or "")
        if container is not None and container.started_at is not None:
            self._mark_running(job, attempt, container)

    def _refuse(self, job_id: str, verdict: Verdict, done: Pass) -> None:
        """End a job whose launch was refused; what was created for it is removed."""
        job, attempt = self._jobs.get(job_id), self._jobs.attempts(job_id)[-1]
        container = self._runtime.inspect(attempt.container_id) if attempt.container_id else None
        self._finish(job, attempt, verdict, container, done)

    def _mark_running(self, job: Job, attempt: Attempt, container: Container) -> None:
        started_at = container.started_at or self._clock.now()
        running = job.running(started_at=started_at, at=self._clock.now())
        self._jobs.save(
            running,
            attempt.evolve(started_at=started_at),
            events=[status_event(job, running, f"Container {container.name} started.")],
        )
        if job.started_at is None:
            self._meter.job_started(after_seconds=(started_at - job.created_at).total_seconds())
        log.info("job running", job_id=job.id, attempt=attempt.number, container_id=container.id)

    def _push(self, job: Job, attempt: Attempt, decision: Terminate | Kill | Unpause) -> None:
        match decision:
            case Terminate():
                self._terminate(job, attempt, decision)
            case Kill(container):
                self._kill(job, attempt, container)
            case Unpause(container):
                log.warning("container was paused from outside", job_id=job.id, container_id=container.id)
                self._runtime.unpause(container.id)

    def _terminate(self, job: Job, attempt: Attempt, decision: Terminate) -> None:
        container, now = decision.container, self._clock.now()
        self._runtime.signal(container.id, "SIGTERM")
        if container.state is ContainerState.PAUSED:
            self._runtime.unpause(container.id)
        message = f"Asked to stop: {ENDINGS[decision.reason].sentence}"
        kill_at = now + timedelta(seconds=self._policy.stop_grace_seconds)
        self._jobs.save(
            replace(job, kill_at=kill_at, updated_at=now),
            attempt.evolve(stop_requested_at=now, stop_reason=decision.reason),
            events=[JobEvent(job_id=job.id, attempt=attempt.number, type="stop", message=message, at=now)],
        )

    def _kill(self, job: Job, attempt: Attempt, container: Container) -> None:
        now, count = self._clock.now(), attempt.kill_count + 1
        self._runtime.signal(container.id, "SIGKILL")
        events = []
        if count == STUCK_AFTER_KILLS:
            message = f"The container survived {count - 1} kills; its slot and devices stay taken until it is gone."
            log.error("container cannot be killed", job_id=job.id, attempt=attempt.number, container_id=container.id)
            events = [JobEvent(job_id=job.id, attempt=attempt.number, type="stuck", message=message, at=now)]
        self._jobs.save(job, attempt.evolve(kill_count=count, killed_at=now), events=events)

    def _miss_engine(self, job: Job, attempt: Attempt) -> None:
        message = (
            f"The Docker Engine that this attempt's container is on ({attempt.engine_id}) was replaced by another. "
            "The job goes on when that engine is back; a cancel ends it."
        )
        event = JobEvent(job_id=job.id, attempt=attempt.number, type="engine", message=message, at=self._clock.now())
        self._jobs.save(job, attempt.evolve(engine_missed_at=event.at), events=[event])
        log.error("job is on another engine", job_id=job.id, attempt=attempt.number, engine_id=attempt.engine_id)

    def _end(self, job: Job, attempt: Attempt, decision: Conclude | Finish, done: Pass) -> None:
        taken_in = self._ingest.take_in_rest(job, attempt, decision.container)
        if taken_in is None:
            self._wake_up.notify()  # it left more than one step should take: the next pass goes on
            return
        job, attempt = taken_in
        self._live_checkpoints.forget(job.id)
        match decision:
            case Conclude():
                verdict = self._collect.conclude(job, attempt)
            case Finish(reason):
                verdict = self._collect.explain(job, attempt, reason)
        self._finish(job, attempt, verdict, decision.container, done)

    def _finish(self, job: Job, attempt: Attempt, verdict: Verdict, container: Container | None, done: Pass) -> None:
        """Record how the attempt ended and whether another makes up for it; only then remove what is left."""
        now = self._clock.now()
        retry = retry_after(job, verdict.reason, now=now, policy=self._retry_policy, jitter=random.random())  # noqa: S311 - only spreads load
        after = self._retried(job, verdict, retry) if retry else self._ended(job, attempt, verdict)
        message = after.error_message or ENDINGS[verdict.reason].sentence
        event = status_event(job, after, message, reason=verdict.reason)
        self._schedule.note_end(attempt, verdict.reason)  # before the save, which ends it: a crash cannot lose it
        self._jobs.save(after, attempt.evolve(end_reason=verdict.reason), events=[event], adapter=verdict.adapter)
        log.info(
            "attempt ended", job_id=job.id, attempt=attempt.number, status=after.status, reason=str(verdict.reason)
        )
        done.retried += retry is not None
        done.finished += retry is None
        self._wake_up.notify()  # its slot and devices are free: the next job need not wait for the removal
        if container is not None:
            self._runtime.remove(container.id)
            done.removed += 1

    def _ended(self, job: Job, attempt: Attempt, verdict: Verdict) -> Job:
        return job.ended(verdict.reason, at=self._clock.now(), message=verdict.message, exit_code=attempt.exit_code)

    def _retried(self, job: Job, verdict: Verdict, retry: Retry) -> Job:
        ending = ENDINGS[verdict.reason]
        return job.requeued(
            at=self._clock.now(),
            message=f"{verdict.message or ending.sentence} {retry.note}",
            retry_at=retry.at,
            retries=job.retries + (ending.retry is RetryClass.INFRASTRUCTURE),
            memory_profile=retry.memory_profile,
            resume_from=None,  # the newest checkpoint, which may be the broken attempt's own
        )

    # -- start --------------------------------------------------------------------------------------------------

    def _start_waiting(self, snapshot: EngineSnapshot, done: Pass, is_stopping: Callable[[], bool]) -> None:
        for start in self._schedule.starts():
            if is_stopping():
                return
            if self._is_put_off(start.job.id):
                continue
            attempt_number = start.job.attempt + 1
            with bound_contextvars(job_id=start.job.id, attempt=attempt_number), self._guarded(start.job, done):
                job, attempt = self._launcher.claim(start, engine_id=snapshot.engine_id)
                done.started += 1
                self._act(job, attempt, Launch(), done)

    def _begin(self, job: Job, step: Callable[[], None], done: Pass) -> None:
        def guarded() -> None:
            with self._guarded(job, done):
                step()

        self._steps.begin(job.id, guarded)

    @contextmanager
    def _guarded(self, job: Job, done: Pass) -> Iterator[None]:
        """The per-job guard: what goes wrong with one job is its own affair, and is looked at again next pass."""
        try:
            yield
        except (StoreUnavailable, Deposed):
            raise  # not this job's affair: nothing can be recorded, so nothing may be done
        except (StaleJob, SlotTaken) as error:
            log.info("looked again later", job_id=job.id, why=error.code)
        except RuntimeUnavailable as error:
            log.warning("engine did not answer", job_id=job.id, error=error.message)
            done.failed_steps += 1
        except Exception:
            log.exception("a step failed", job_id=job.id, attempt=job.attempt)
            self._put_off_until[job.id] = self._clock.now() + UNFORESEEN_PAUSE
            done.failed_steps += 1

    def _is_put_off(self, job_id: str) -> bool:
        until = self._put_off_until.get(job_id)
        if until is None or self._clock.now() < until:
            return until is not None
        del self._put_off_until[job_id]
        return False
