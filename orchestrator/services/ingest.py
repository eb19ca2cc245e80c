"""Taking in what a container wrote: events by byte offset, log lines by the engine's timestamps, the outputs' size.

Everything is bounded: one bite of each a pass, so that what is left waits for the next pass and not the other jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.domain.artifact import told_picture
from orchestrator.domain.bests import with_bests
from orchestrator.domain.container import Container
from orchestrator.domain.errors import RuntimeUnavailable
from orchestrator.domain.events import (
    MAX_EVENTS_BYTES,
    MAX_HISTORY_ROWS,
    JobEvent,
    TrainerEvent,
    gap_event,
    history_in,
    kept_history,
    metrics_in,
    parse_line,
    progress_after,
)
from orchestrator.domain.job import Attempt, Job
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.meter import Meter
from orchestrator.ports.workspace import Workspace
from orchestrator.services.collect import Collect
from orchestrator.services.log_capture import REST_MISSING, LogCapture
from orchestrator.services.pace import Pace

EVENTS_BITE_BYTES = 1024**2
# Each is copied before its event is stored. What follows in the event file waits for the next bite.
PICTURES_BITE = 4
LOG_BITE_BYTES = 1024**2
# Of a container that has ended: the engine looks through the whole log for each bite, so few big ones are quicker.
LAST_LOG_BITE_BYTES = 4 * 1024**2
LOG_SECONDS = 2.0
MEASURE_SECONDS = 5.0
# Who watches a job's row (Supabase's Realtime among them) is told of progress no more often than this.
PROGRESS_SECONDS = 1.0
# How long a pass works on what one ended container left, and how long its end waits for an engine that keeps the log.
REST_SECONDS = 1.0
REST_PATIENCE_SECONDS = 60.0

_EVENTS_FULL = f"The trainer wrote more than {MAX_EVENTS_BYTES} bytes of events. What follows is not read."
_HISTORY_FULL = f"The trainer reported {MAX_HISTORY_ROWS} things. Of what follows only results and errors are kept."


class Ingest:
    def __init__(
        self,
        *,
        jobs: JobStore,
        collect: Collect,
        workspace: Workspace,
        runtime: ContainerRuntime,
        clock: Clock,
        meter: Meter,
    ) -> None:
        self._jobs = jobs
        self._collect = collect
        self._workspace = workspace
        self._log = LogCapture(runtime=runtime, workspace=workspace)
        self._clock = clock
        self._meter = meter
        self._log_pace = Pace(clock, pause_seconds=LOG_SECONDS)
        self._progress_pace = Pace(clock, pause_seconds=PROGRESS_SECONDS)
        self._measure_pace = Pace(clock, pause_seconds=MEASURE_SECONDS)
        self._rest_began_at: dict[str, datetime] = {}

    def follow(self, job: Job, attempt: Attempt, container: Container | None) -> None:
        """Take in what is new of an attempt that goes on; its log only when the engine shows its `container`."""
        job, attempt = self._show(*self.take_in(job, attempt))
        before = attempt
        if self._measure_pace.is_due(job.id):
            with self._measure_pace.timed(job.id):
                attempt = attempt.evolve(outputs_bytes=self._workspace.outputs_bytes(job.id))
        if container is not None and self._log_pace.is_due(job.id):
            with self._log_pace.timed(job.id):
                attempt, _ = self._log.take_bite(attempt, container.id, limit_bytes=LOG_BITE_BYTES)
        if attempt != before:
            self._jobs.advance(job, before, attempt)

    def take_in_rest(self, job: Job, attempt: Attempt, container: Container | None) -> tuple[Job, Attempt] | None:
        """Take in everything that is left, and how the container ended. The caller stores the returned attempt.

        None when that is more than one pass should take: what was taken in is stored, the rest is for the next pass.
        """
        deadline = self._clock.now() + timedelta(seconds=REST_SECONDS)
        job, attempt, is_all = self._drain(job, attempt, deadline)
        before = attempt
        if is_all and container is not None:
            attempt, is_all = self._capture_rest(attempt, container.id, deadline)
        if not is_all:
            if attempt != before:
                self._jobs.advance(job, before, attempt)
            return None
        self._forget(job.id)
        job, attempt = _merged(job, attempt, at=self._clock.now())
        return job, (attempt if container is None else _ended(attempt, container))

    def take_in(self, job: Job, attempt: Attempt, *, is_final: bool = False) -> tuple[Job, Attempt]:
        """Store new events with the offset behind them, in one transaction: each is stored exactly once.

        Returns what it was given when there is nothing new. `is_final`: nobody writes the file any more.
        Raises StaleJob.
        """
        room = MAX_EVENTS_BYTES - attempt.events_bytes
        if room <= 0:
            return job, attempt
        limit_bytes = min(EVENTS_BITE_BYTES, room)
        bite = self._workspace.read_events(
            job.id, offset=attempt.events_offset, limit_bytes=limit_bytes, is_final=is_final
        )
        if bite.lines:
            return self._store(job, attempt, bite.lines)
        if bite.file_bytes < attempt.events_offset:
            return self._go_on_from(job, attempt, bite.file_bytes)
        return job, attempt

    def _store(self, job: Job, attempt: Attempt, lines: Sequence[bytes]) -> tuple[Job, Attempt]:
        events, size_bytes = _bite(lines, is_history_full=attempt.history_rows >= MAX_HISTORY_ROWS)
        now = self._clock.now()
        after = attempt.evolve(
            events_offset=attempt.events_offset + size_bytes,
            events_bytes=attempt.events_bytes + size_bytes,
            # The stall watchdog listens to the trainer: bytes that mean nothing are no sign of life.
            last_event_at=now if events else attempt.last_event_at,
        )
        rows = history_in(events, job_id=job.id, attempt=attempt.number, at=now)
        if after.events_bytes >= MAX_EVENTS_BYTES:
            rows.append(self._gap(attempt, _EVENTS_FULL))
        rows = self._collect.take_samples(job, attempt, self._kept(attempt, rows))
        metrics = metrics_in(events, job_id=job.id, attempt=attempt.number, at=now)
        progress = with_bests(progress_after(attempt.progress or job.progress, events), metrics)
        after = after.evolve(
            history_rows=attempt.history_rows + len(rows), progress=progress if progress != job.progress else None
        )
        self._jobs.advance(job, attempt, after, events=rows, metrics=metrics)
        if events and events[-1].at is not None:
            self._meter.events_ingested(lag_seconds=(self._clock.now() - events[-1].at).total_seconds())
        return job, after

    def _show(self, job: Job, attempt: Attempt) -> tuple[Job, Attempt]:
        """Let the job's row follow what its trainer reported: a new phase at once, anything else at its pace."""
        if attempt.progress is None:
            return job, attempt
        if attempt.progress.phase == job.progress.phase and not self._progress_pace.is_due(job.id):
            return job, attempt
        with self._progress_pace.timed(job.id):
            job, attempt = _merged(job, attempt, at=self._clock.now())
            return self._jobs.save(job, attempt), attempt

    def _go_on_from(self, job: Job, attempt: Attempt, file_bytes: int) -> tuple[Job, Attempt]:
        """The container cut its event file, or removed it. What it writes from now on is new."""
        message = f"The trainer's event file shrank from {attempt.events_offset} to {file_bytes} bytes."
        rows = self._kept(attempt, [self._gap(attempt, message)])
        after = attempt.evolve(events_offset=file_bytes, history_rows=attempt.history_rows + len(rows))
        self._jobs.advance(job, attempt, after, events=rows)
        return job, after

    def _kept(self, attempt: Attempt, rows: Sequence[JobEvent]) -> list[JobEvent]:
        return kept_history(rows, stored=attempt.history_rows, full=self._gap(attempt, _HISTORY_FULL))

    def _gap(self, attempt: Attempt, message: str) -> JobEvent:
        return gap_event(message, job_id=attempt.job_id, attempt=attempt.number, at=self._clock.now())

    def _drain(self, job: Job, attempt: Attempt, deadline: datetime) -> tuple[Job, Attempt, bool]:
        """Take in the events of a container that has ended, until the deadline. And whether those are all."""
        while True:
            before = attempt
            job, attempt = self.take_in(job, attempt, is_final=True)
            if attempt == before:
                return job, attempt, True
            if self._clock.now() > deadline:
                return job, attempt, False

    def _capture_rest(self, attempt: Attempt, container_id: str, deadline: datetime) -> tuple[Attempt, bool]:
        """Take in the log of a container that has ended, until the deadline. And whether that is all.

        An engine that does not give the log is waited for; but a log is no reason to keep a job from ending.
        """
        began_at = self._rest_began_at.setdefault(attempt.job_id, self._clock.now())
        is_patient = self._clock.now() - began_at < timedelta(seconds=REST_PATIENCE_SECONDS)
        is_all = False
        try:
            while not is_all:
                before = attempt
                attempt, is_all = self._log.take_bite(attempt, container_id, limit_bytes=LAST_LOG_BITE_BYTES)
                if attempt == before or self._clock.now() > deadline:
                    break
        except RuntimeUnavailable:
            if is_patient:
                raise
        if is_all or is_patient:
            return attempt, is_all
        return self._log.append(attempt, [REST_MISSING]), True

    def _forget(self, job_id: str) -> None:
        self._log_pace.forget(job_id)
        self._progress_pace.forget(job_id)
        self._measure_pace.forget(job_id)
        self._rest_began_at.pop(job_id, None)


def _bite(lines: Sequence[bytes], *, is_history_full: bool) -> tuple[list[TrainerEvent], int]:
    """The events of as many lines as tell of PICTURES_BITE pictures at most, and the bytes of those lines.

    A full history keeps no more pictures, so that there is nothing to wait for.
    """
    events: list[TrainerEvent] = []
    size_bytes = pictures = 0
    for line in lines:
        size_bytes += len(line)
        if (event := parse_line(line)) is not None:
            events.append(event)
            pictures += not is_history_full and told_picture(event.type, event.fields) is not None
        if pictures == PICTURES_BITE:
            break
    return events, size_bytes


def _merged(job: Job, attempt: Attempt, *, at: datetime) -> tuple[Job, Attempt]:
    """What the attempt knew better than the job's row is the row's now."""
    if attempt.progress is None:
        return job, attempt
    return job.with_progress(attempt.progress, at=at), attempt.evolve(progress=None)


def _ended(attempt: Attempt, container: Container) -> Attempt:
    return attempt.evolve(
        started_at=container.started_at,
        finished_at=container.finished_at,
        exit_code=container.exit_code if container.started_at else None,
        is_oom_killed=container.is_oom_killed,
    )
