"""Plain training: the diagnostic job, which goes through the life of every other job and ends in seconds."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from orchestrator.domain.diagnostic import DIAGNOSTIC_MODEL, MADE_UP_ROWS, DiagnosticConfig, DiagnosticTable
from orchestrator.domain.events import status_event
from orchestrator.domain.identity import Actor, Identity
from orchestrator.domain.job import Job
from orchestrator.domain.training import TrainingType
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobFilter, JobStore, Submission
from orchestrator.ports.wake_up import WakeUp
from orchestrator.services.jobs import Jobs, JobView, JobViewPage
from orchestrator.services.ownership import job_not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """Settings within their ranges; `table` None: the trainer makes rows up."""

    config: DiagnosticConfig
    table: DiagnosticTable | None = None


class Train:
    """Every method but `start` and `list` raises NotFound for what is no diagnostic job, and for another user's."""

    def __init__(self, *, store: JobStore, jobs: Jobs, wake_up: WakeUp, clock: Clock) -> None:
        self._store = store
        self._jobs = jobs
        self._wake_up = wake_up
        self._clock = clock

    def start(self, identity: Identity, request: TrainRequest, submission: Submission | None = None) -> JobView:
        """Queue a diagnostic job with the rows it brings; the earlier job when this submission was sent before.

        Raises Conflict for a reused key.
        """
        now, job_id = self._clock.now(), str(uuid.uuid4())
        row_count = request.table.row_count if request.table else MADE_UP_ROWS
        job = Job(
            id=job_id,
            user_id=identity.user_id,
            dataset_id=job_id,  # its rows are its own
            type=TrainingType.DIAGNOSTIC,
            base_model=DIAGNOSTIC_MODEL,
            config=request.config.for_rows(row_count),
            created_at=now,
            updated_at=now,
        )
        event = status_event(None, job, "Submitted.", actor=Actor.USER)
        stored = self._store.add(job, event, submission, table=request.table)
        self._wake_up.notify()
        return self._jobs.get(identity, stored.id)

    def status(self, identity: Identity, job_id: str) -> JobView:
        view = self._jobs.get(identity, job_id)
        if view.job.type is not TrainingType.DIAGNOSTIC:
            raise job_not_found(job_id)
        return view

    def stop(self, identity: Identity, job_id: str) -> JobView:
        """Raises Conflict (JOB_ENDED) when it already has."""
        return self._jobs.cancel(identity, self.status(identity, job_id).job.id, reason="Stopped.")

    def list(self, identity: Identity, *, page: int, page_size: int) -> JobViewPage:
        """The caller's own, newest first."""
        return self._jobs.list(identity, JobFilter(type=TrainingType.DIAGNOSTIC), page=page, page_size=page_size)
