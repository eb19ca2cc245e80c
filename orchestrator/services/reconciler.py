"""`run_once`: load, observe, decide, act, record. The only place with sequence; the judgement is `decide`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from orchestrator.domain.container import (
    Container,
    ContainerState,
    EngineSnapshot,
    Observation,
    Presence,
    observe,
)
from orchestrator.domain.errors import LaunchRefused, NotFound, PortError, RuntimeUnavailable, SlotTaken, StaleJob
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.reconciliation import (
    Conclude,
    Decision,
    Finish,
    Kill,
    Launch,
    MarkRunning,
    Policy,
    Terminate,
    Wait,
    decide,
)
from orchestrator.domain.scheduling import Start, plan_starts
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.device_inventory import DeviceInventory
from orchestrator.ports.job_store import JobFilter, JobStore
from orchestrator.ports.record_store import EngineStatus, RecordStore
from orchestrator.services.collect import Collect, Verdict
from orchestrator.services.ingest import Ingest
from orchestrator.services.launch import Launch as Launcher

log = structlog.get_logger()

# How many waiting jobs one pass looks at; enough to fill every device many times over.
QUEUE_WINDOW = 1_000
LOG_SECONDS = 2.0
# The status is for /ready and the queue's reasons: an unchanged one is written now and then, not every pass.
STATUS_SECONDS = 5.0


@dataclass(slots=True)
class Pass:
    """What one pass did."""

    is_engine_reachable: bool = True
    active: int = 0
    started: int = 0
    finished: int = 0
    removed: int = 0
    failed_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilerSettings:
    image: str
    max_active_per_user: int
    orphan_grace_seconds: float
    policy: Policy = field(default_factory=Policy)


class Reconciler:
    def __init__(
        self,
        *,
        jobs: JobStore,
        records: RecordStore,
        runtime: ContainerRuntime,
        inventory: DeviceInventory,
        launcher: Launcher,
        ingest: Ingest,
        collect: Collect,
        clock: Clock,
        settings: ReconcilerSettings,
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._runtime = runtime
        self._inventory = inventory
        self._launcher = launcher
        self._ingest = ingest
        self._collect = collect
        self._clock = clock
        self._settings = settings
        self._unreachable_since: datetime | None = None
        self._log_due_at: dict[str, datetime] = {}
        self._recorded_status: EngineStatus | None = None

    def run_once(self) -> Pass:
        """One pass over everything. A job's failure is logged and never stops the pass.

        Raises StoreUnavailable: without the store there is nothing to do.
        """
        done = Pass()
        active = self._jobs.active()
        snapshot, is_image_present = self._observe_engine(done)
        self._record_engine_status(snapshot, is_image_present=is_image_present)
        done.active = len(active)
        for job, attempt in active:
            with self._guarded(job, done):
                self._advance(job, attempt, snapshot, done)
        if snapshot is not None:
            self._start_waiting(snapshot, done)
            self._sweep(snapshot, {(job.id, attempt.number) for job, attempt in active}, done)
        return done

    # -- observe ------------------------------------------------------------------------------------------------

    def _observe_engine(self, done: Pass) -> tuple[EngineSnapshot | None, bool]:
        """What the engine lists and whether it has the training image; (None, False) when it did not answer both."""
        try:
            snapshot = self._runtime.snapshot()
            is_image_present = self._runtime.image_digest(self._settings.image) is not None
        except RuntimeUnavailable as error:
            if self._unreachable_since is None:
                self._unreachable_since = self._clock.now()
                log.warning("engine unreachable", error=error.message)
            done.is_engine_reachable = False
            return None, False
        if self._unreachable_since is not None:
            log.info("engine reachable again", unreachable_since=self._unreachable_since.isoformat())
            self._unreachable_since = None
        return snapshot, is_image_present

    def _record_engine_status(self, snapshot: EngineSnapshot | None, *, is_image_present: bool) -> None:
        status = self._engine_status(snapshot, is_image_present=is_image_present)
        if _is_worth_recording(status, self._recorded_status):
            self._records.save_engine_status(status)
            self._recorded_status = status

    def _engine_status(self, snapshot: EngineSnapshot | None, *, is_image_present: bool) -> EngineStatus:
        since = self._unreachable_since
        return EngineStatus(
            last_pass_at=self._clock.now(),
            unreachable_since=since,
            engine_id=snapshot.engine_id if snapshot else None,
            is_image_present=is_image_present,
            devices=tuple(self._inventory.devices()),
            problem=f"the Docker Engine has not answered since {since.isoformat(timespec='seconds')}"
            if since
            else None,
        )

    def _observe(self, job: Job, attempt: Attempt, snapshot: EngineSnapshot | None) -> Observation:
        seen = observe(snapshot, job_id=job.id, attempt=attempt.number, engine_id=attempt.engine_id)
        if seen.container is None:
            return seen
        if seen.container.state is ContainerState.RUNNING and job.status is JobStatus.RUNNING:
            return seen  # a list says all there is to know about a container that simply runs
        detailed = self._runtime.inspect(seen.container.id)
        return Observation(Presence.PRESENT, detailed) if detailed else Observation(Presence.UNKNOWN)

    # -- act and record -----------------------------------------------------------------------------------------

    def _advance(self, job: Job, attempt: Attempt, snapshot: EngineSnapshot | None, done: Pass) -> None:
        observation = self._observe(job, attempt, snapshot)
        decision = decide(job, attempt, observation, self._clock.now(), self._settings.policy)
        self._act(job, attempt, decision, done)
        if isinstance(decision, Wait) and observation.container is not None:
            self._follow(job, attempt, observation.container)

    def _act(self, job: Job, attempt: Attempt, decision: Decision, done: Pass) -> None:
        match decision:
            case Wait():
                pass
            case Launch():
                self._launch(job, attempt, done)
            case MarkRunning(container):
                self._mark_running(job, attempt, container)
            case Terminate(container):
                self._runtime.signal(container.id, "SIGTERM")
                self._jobs.save(job, attempt.evolve(stop_requested_at=self._clock.now()))
            case Kill(container):
                self._runtime.signal(container.id, "SIGKILL")
            case Conclude(container):
                job, attempt = self._take_in_rest(job, attempt, container)
                self._finish(job, attempt, self._collect.conclude(job, attempt), container, done)
            case Finish(reason, container):
                job, attempt = self._take_in_rest(job, attempt, container)
                self._finish(job, attempt, self._collect.explain(job, attempt, reason), container, done)
            case _:
                assert_never(decision)

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
        log.info("job running", job_id=job.id, attempt=attempt.number, container_id=container.id)

    def _follow(self, job: Job, attempt: Attempt, container: Container) -> None:
        job, attempt = self._ingest.take_in(job, attempt)
        now = self._clock.now()
        if now < self._log_due_at.get(job.id, now):
            return
        self._log_due_at[job.id] = now + timedelta(seconds=LOG_SECONDS)
        captured = self._ingest.capture_log(attempt, container.id)
        if captured != attempt:
            self._jobs.save(job, captured)

    def _take_in_rest(self, job: Job, attempt: Attempt, container: Container | None) -> tuple[Job, Attempt]:
        job, attempt = self._ingest.drain(job, attempt)
        if container is None:
            return job, attempt
        attempt = self._ingest.capture_log(attempt, container.id)
        return job, attempt.evolve(
            started_at=container.started_at,
            finished_at=container.finished_at,
            exit_code=container.exit_code if container.started_at else None,
            is_oom_killed=container.is_oom_killed,
        )

    def _finish(self, job: Job, attempt: Attempt, verdict: Verdict, container: Container | None, done: Pass) -> None:
        ended = job.ended(verdict.reason, at=self._clock.now(), message=verdict.message, exit_code=attempt.exit_code)
        message = ended.error_message or "The adapter was verified."
        self._jobs.save(ended, attempt.evolve(end_reason=verdict.reason), events=[status_event(job, ended, message)])
        self._log_due_at.pop(job.id, None)
        done.finished += 1
        log.info("job ended", job_id=job.id, attempt=attempt.number, status=ended.status, reason=verdict.reason)
        if container is not None:
            self._runtime.remove(container.id)
            done.removed += 1

    # -- start and sweep ----------------------------------------------------------------------------------------

    def _start_waiting(self, snapshot: EngineSnapshot, done: Pass) -> None:
        for start in self._plan():
            with self._guarded(start.job, done):
                job, attempt = self._launcher.claim(start, engine_id=snapshot.engine_id)
                self._launch(job, attempt, done)
                done.started += 1

    def _plan(self) -> Sequence[Start]:
        waiting = JobFilter(statuses=(JobStatus.QUEUED,), oldest_first=True)
        queued = self._jobs.list(waiting, page_size=QUEUE_WINDOW).jobs
        if not queued:
            return []
        leased = self._jobs.leased_devices()
        free = [device for device in self._inventory.devices() if device not in leased]
        active = [job for job, _ in self._jobs.active()]
        return plan_starts(queued, active, free, max_active_per_user=self._settings.max_active_per_user)

    def _sweep(self, snapshot: EngineSnapshot, expected: set[tuple[str, int]], done: Pass) -> None:
        """Remove containers of ours that no attempt expects: left by a crash after the record, or by nobody we know."""
        for container in snapshot.containers:
            if (container.job_id, container.attempt) in expected or not self._is_left_over(container):
                continue
            log.warning("removing left-over container", container_id=container.id, job_id=container.job_id)
            try:
                self._runtime.remove(container.id)
            except PortError as error:
                log.warning("left-over container not removed", container_id=container.id, error=error.message)
                continue
            done.removed += 1

    def _is_left_over(self, container: Container) -> bool:
        try:
            job = self._jobs.get(container.job_id)
        except NotFound:
            oldest = self._clock.now() - timedelta(seconds=self._settings.orphan_grace_seconds)
            return container.created_at is not None and container.created_at < oldest
        return job.status.is_final or container.attempt < job.attempt

    @contextmanager
    def _guarded(self, job: Job, done: Pass) -> Iterator[None]:
        """The per-job guard: what goes wrong with one job is its own affair, and is looked at again next pass."""
        try:
            yield
        except (StaleJob, SlotTaken) as error:
            log.info("looked again later", job_id=job.id, why=error.code)
        except RuntimeUnavailable as error:
            log.warning("engine did not answer", job_id=job.id, error=error.message)
            done.failed_steps += 1
        except Exception:
            log.exception("a step failed", job_id=job.id, attempt=job.attempt)
            done.failed_steps += 1


def _is_worth_recording(status: EngineStatus, recorded: EngineStatus | None) -> bool:
    if recorded is None or status.last_pass_at - recorded.last_pass_at >= timedelta(seconds=STATUS_SECONDS):
        return True
    return replace(status, last_pass_at=recorded.last_pass_at) != recorded
