"""Taking in what a container wrote: events by byte offset, log lines by Docker's own timestamps."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.domain.container import Container
from orchestrator.domain.events import history_in, metrics_in, parse_line, progress_after
from orchestrator.domain.job import Attempt, Job
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.workspace import Workspace

# One bite of each: what is left is taken in the next pass, so one chatty job cannot hold up the others.
EVENTS_BYTES = 1024**2
LOG_BYTES = 1024**2


LOG_SECONDS = 2.0


class Ingest:
    def __init__(self, *, jobs: JobStore, workspace: Workspace, runtime: ContainerRuntime, clock: Clock) -> None:
        self._jobs = jobs
        self._workspace = workspace
        self._runtime = runtime
        self._clock = clock
        self._log_due_at: dict[str, datetime] = {}

    def follow(self, job: Job, attempt: Attempt, container: Container | None) -> None:
        """Take in what is new of an attempt that goes on; its log only when the engine shows its `container`."""
        job, attempt = self.take_in(job, attempt)
        now = self._clock.now()
        if container is None or now < self._log_due_at.get(job.id, now):
            return
        self._log_due_at[job.id] = now + timedelta(seconds=LOG_SECONDS)
        captured = self.capture_log(attempt, container.id)
        if captured != attempt:
            self._jobs.save(job, captured)

    def take_in_rest(self, job: Job, attempt: Attempt, container: Container | None) -> tuple[Job, Attempt]:
        """Take in everything that is left, and how the container ended. The caller stores the returned attempt."""
        job, attempt = self.drain(job, attempt)
        self._log_due_at.pop(job.id, None)
        if container is None:
            return job, attempt
        attempt = self.capture_log(attempt, container.id)
        return job, attempt.evolve(
            started_at=container.started_at,
            finished_at=container.finished_at,
            exit_code=container.exit_code if container.started_at else None,
            is_oom_killed=container.is_oom_killed,
        )

    def take_in(self, job: Job, attempt: Attempt) -> tuple[Job, Attempt]:
        """Store new events with the offset behind them, in one transaction: each is stored exactly once.

        Returns what it was given when there is nothing new. Raises StaleJob.
        """
        lines = self._workspace.read_events(job.id, offset=attempt.events_offset, limit_bytes=EVENTS_BYTES)
        if not lines:
            return job, attempt
        now = self._clock.now()
        events = [event for line in lines if (event := parse_line(line)) is not None]
        attempt = attempt.evolve(
            events_offset=attempt.events_offset + sum(len(line) for line in lines), last_event_at=now
        )
        saved = self._jobs.save(
            job.with_progress(progress_after(job.progress, events), at=now),
            attempt,
            events=history_in(events, job_id=job.id, attempt=attempt.number, at=now),
            metrics=metrics_in(events, job_id=job.id, attempt=attempt.number, at=now),
        )
        return saved, attempt

    def drain(self, job: Job, attempt: Attempt) -> tuple[Job, Attempt]:
        """Take in everything that is left; for a container that has ended."""
        while True:
            before = attempt.events_offset
            job, attempt = self.take_in(job, attempt)
            if attempt.events_offset == before:
                return job, attempt

    def capture_log(self, attempt: Attempt, container_id: str) -> Attempt:
        """Append new log lines to the job's file. The caller stores the returned attempt."""
        lines = self._runtime.logs(container_id, since=attempt.log_since, limit_bytes=LOG_BYTES)
        # Docker includes the line that was printed at `since` itself.
        new = [line for line in lines if attempt.log_since is None or line.at > attempt.log_since]
        if not new:
            return attempt
        self._workspace.append_log(attempt.job_id, [line.text for line in new])
        return attempt.evolve(log_since=new[-1].at)
