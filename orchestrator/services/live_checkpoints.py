"""Checkpoints of jobs that still run: each is collected when it is new, and the history says that it can be had."""

from __future__ import annotations

from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.training import TrainingType
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.services.collect import Collect
from orchestrator.services.pace import Pace

COLLECTED = "collected"  # the type of the event
# Of a job that saves one every second not each is worth a copy.
PAUSE_SECONDS = 5.0


class LiveCheckpoints:
    """What a process that was killed forgets is collected again, which adds nothing."""

    def __init__(self, *, jobs: JobStore, records: RecordStore, collect: Collect, clock: Clock) -> None:
        self._jobs = jobs
        self._records = records
        self._collect = collect
        self._clock = clock
        self._pace = Pace(clock, pause_seconds=PAUSE_SECONDS)
        self._taken: dict[str, tuple[int, int]] = {}  # attempt and step, by job

    def due(self, job: Job, attempt: Attempt) -> int | None:
        """The step whose checkpoint is to be collected now. Of a job that is being stopped none: its end does it."""
        step = (attempt.progress or job.progress).checkpoint_step
        if step is None or job.kill_at is not None or job.type is TrainingType.DIAGNOSTIC:
            return None
        is_new = self._taken.get(job.id) != (attempt.number, step)
        return step if is_new and self._pace.is_due(job.id) else None

    def take(self, job: Job, attempt: Attempt, step: int) -> None:
        """Raises StaleJob when the job changed meanwhile: it is still due then."""
        with self._pace.timed(job.id):
            files = self._collect.take_checkpoint(job, attempt, step)
            if any(file.attempt == attempt.number for file in files) and not self._is_told(attempt, step):
                self._tell(job.id, step)
        self._taken[job.id] = (attempt.number, step)

    def forget(self, job_id: str) -> None:
        self._pace.forget(job_id)
        self._taken.pop(job_id, None)

    def _is_told(self, attempt: Attempt, step: int) -> bool:
        event = self._records.latest_event(attempt.job_id, attempt=attempt.number, type=COLLECTED)
        return event is not None and event.data.get("step") == step

    def _tell(self, job_id: str, step: int) -> None:
        job, attempt = self._jobs.get(job_id), self._jobs.attempts(job_id)[-1]
        message = f"The checkpoint of step {step} can be downloaded."
        event = JobEvent(
            job_id=job_id,
            attempt=attempt.number,
            type=COLLECTED,
            message=message,
            data={"step": step},
            at=self._clock.now(),
        )
        self._jobs.advance(job, attempt, attempt, events=[event])
