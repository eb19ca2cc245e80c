"""What a user does with jobs: submit, look, list, cancel."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.domain.dataset import Selection, exclusion_sentence, version_of
from orchestrator.domain.deletion import UndoPolicy
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.estimates import Estimate, Saved
from orchestrator.domain.events import status_event
from orchestrator.domain.identity import Actor, Identity
from orchestrator.domain.job import FROM_SCRATCH, Job, JobChanges
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.plan_warnings import WarningCode
from orchestrator.domain.scheduling import Place
from orchestrator.ports.clock import Clock
from orchestrator.ports.dataset_store import VersionStore
from orchestrator.ports.job_store import JobFilter, JobStore, Submission
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.trash import Trash
from orchestrator.ports.wake_up import WakeUp
from orchestrator.services.best_checkpoints import best_checkpoints
from orchestrator.services.checkpoints import named_checkpoint
from orchestrator.services.drafts import Drafts, SubmitRequest
from orchestrator.services.estimates import Estimates
from orchestrator.services.models import Models
from orchestrator.services.ownership import actor_on, owned_job
from orchestrator.services.plans import Plan, Plans
from orchestrator.services.queue import Queue

_STILL_AT_WORK = "The job has not ended yet. Cancel it first, or wait."
_WHY_NOT_RETRIED = {
    JobStatus.COMPLETED: "The job is completed. Submit it anew to train another adapter.",
    JobStatus.CANCELLED: "The job was cancelled, and a cancelled job is never started again. Submit it anew.",
}


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its owner sees it.

    `place` only while it is queued, `estimate` until it has ended, `saved` then; `restorable_until` only once it is
    deleted, which can be undone for `undo_seconds`.
    """

    job: Job
    place: Place | None = None
    estimate: Estimate | None = None
    saved: Saved | None = None
    restorable_until: datetime | None = None
    undo_seconds: float = 0.0
    best_checkpoint: str | None = None  # folder name of the one saved nearest to its best step


@dataclass(frozen=True, slots=True)
class JobViewPage:
    views: tuple[JobView, ...]
    total: int


class Jobs:
    def __init__(
        self,
        *,
        jobs: JobStore,
        trash: Trash,
        undo: UndoPolicy,
        records: RecordStore,
        versions: VersionStore,
        models: Models,
        drafts: Drafts,
        plans: Plans,
        estimates: Estimates,
        clock: Clock,
        wake_up: WakeUp,
        queue: Queue,
    ) -> None:
        self._jobs = jobs
        self._trash = trash
        self._undo = undo
        self._records = records
        self._versions = versions
        self._models = models
        self._drafts = drafts
        self._plans = plans
        self._estimates = estimates
        self._clock = clock
        self._wake_up = wake_up
        self._queue = queue

    def submit(
        self,
        identity: Identity,
        request: SubmitRequest,
        submission: Submission | None = None,
        *,
        accepted: Collection[WarningCode] | None = None,
    ) -> Job:
        """Accept a job and wake the orchestrator; the earlier job when this submission was sent before.

        Raises what `Drafts.make` raises, Conflict for a reused key, and, where the warnings that are `accepted` are
        said, Conflict (WARNINGS_NOT_ACCEPTED) for any other.
        """
        draft = self._drafts.make(identity, request)
        if accepted is not None:
            self._plans.require_accepted(draft, accepted)
        job, items = draft.job, draft.selection.items
        self._versions.add(version_of(draft.dataset.id, items, at=job.created_at))
        self._models.want(job.base_model)  # before the job is there: a failed download would end it
        event = status_event(None, job, _submitted(draft.selection), actor=Actor.USER)
        stored = self._jobs.add(job, event, submission)
        self._wake_up.notify()
        return stored

    def plan(self, identity: Identity, request: SubmitRequest) -> Plan:
        """What `submit` would do right now, with nothing stored. Raises what `submit` raises."""
        return self._plans.of(self._drafts.make(identity, request))

    def decided(self, job_id: str) -> Job | None:
        """The job once its submission can be answered: it started, ended, or must wait in the queue. Else None."""
        job = self._jobs.get(job_id)
        if job.status is JobStatus.PENDING:
            return None
        if job.status is not JobStatus.QUEUED:
            return job
        must_wait = self._queue.must_wait(job)
        # A job that was claimed during these reads looks like one without a free device: only one that still waits
        # after them has to wait.
        return job if must_wait and self._jobs.get(job_id).status is JobStatus.QUEUED else None

    def get(self, identity: Identity, job_id: str) -> JobView:
        """Raises NotFound, also for another user's job."""
        job = owned_job(self._jobs, identity, job_id)
        return self._views([job])[0]

    def poll(self, identity: Identity, job_id: str) -> Job:
        """Have the orchestrator look at a job now and not in its turn; the job as it is before. Raises NotFound."""
        job = owned_job(self._jobs, identity, job_id)
        if not job.status.is_final:
            self._wake_up.notify()
        return job

    def changed(self, before: Job) -> Job | None:
        """The job once anything of it is another; None until then. Raises NotFound."""
        job = self._jobs.get(before.id)
        return job if job != before else None

    def list(self, identity: Identity, wanted: JobFilter, *, page: int, page_size: int) -> JobViewPage:
        """The caller's own jobs, whatever `wanted.user_id` says."""
        found = self._jobs.list(replace(wanted, user_id=identity.user_id), page=page, page_size=page_size)
        return JobViewPage(tuple(self._views(found.jobs)), found.total)

    def cancel(self, identity: Identity, job_id: str, *, reason: str | None, saves: bool = True) -> JobView:
        """Ask for the job's end; without `saves` its container gets no time for a checkpoint, nor keeps what it had.

        Raises Conflict (JOB_ENDED) when it already has; asking twice is fine.
        """
        job = owned_job(self._jobs, identity, job_id)
        if job.status.is_final and not job.is_cancel_requested:
            raise Conflict(f"Job {job_id} has already ended as {job.status}.", code="JOB_ENDED")
        actor, story = actor_on(job, identity), f"Cancelled: {reason}" if reason else "Cancelled, without a reason."
        audit = self._audit(AuditAction.JOB_CANCELLED, job, identity, story) if actor is Actor.ADMIN else None
        now = self._clock.now()
        stored = self._jobs.request_cancel(job.id, reason=reason, at=now, saves=saves, actor=actor, audit=audit)
        self._wake_up.notify()
        return self._views([stored])[0]

    def describe(self, identity: Identity, job_id: str, changes: JobChanges) -> JobView:
        """Change its name, notes or tags, whatever its state. Raises NotFound."""
        job = owned_job(self._jobs, identity, job_id)
        is_admins = actor_on(job, identity) is Actor.ADMIN
        audit = self._audit(AuditAction.JOB_DESCRIBED, job, identity, _described(changes)) if is_admins else None
        stored = self._jobs.describe(job.id, changes, at=self._clock.now(), audit=audit) if changes else job
        return self._views([stored])[0]

    def retry(self, identity: Identity, job_id: str, *, resume_from: str | None) -> JobView:
        """Queue another attempt of a failed job with the settings it had.

        `resume_from` is a checkpoint's folder name or the id of one of its files, "scratch", or None for the newest
        checkpoint. Raises NotFound, Rejected (CHECKPOINT_NOT_FOUND), and Conflict for a job that has not failed.
        """
        job = owned_job(self._jobs, identity, job_id)
        if job.status is not JobStatus.FAILED:
            raise Conflict(_WHY_NOT_RETRIED.get(job.status, _STILL_AT_WORK), code="JOB_NOT_FAILED")
        if resume_from not in (None, FROM_SCRATCH):
            resume_from = named_checkpoint(self._records, job.id, resume_from)
        self._models.want(job.base_model)
        again, actor = job.reopened(at=self._clock.now(), resume_from=resume_from), actor_on(job, identity)
        audit = self._audit(AuditAction.JOB_RETRIED, job, identity, "Tried again.") if actor is Actor.ADMIN else None
        stored = self._jobs.save(again, events=[status_event(job, again, "Retry requested.", actor=actor)], audit=audit)
        self._wake_up.notify()
        return self._views([stored])[0]

    def delete(self, identity: Identity, job_id: str) -> JobView:
        """Cancel a job that has not ended; delete one that has, with its records, files and registered version.

        Returns the job as it is, or was. All of it is out of reach at once. Once it can no longer be brought back it is
        removed in the next round of retention. Raises NotFound, and StaleJob when it changes meanwhile.
        """
        job = owned_job(self._jobs, identity, job_id)
        if not job.status.is_final:
            return self.cancel(identity, job_id, reason="Asked to be deleted.")
        is_admins = actor_on(job, identity) is Actor.ADMIN
        audit = self._audit(AuditAction.JOB_DELETED, job, identity, "Deleted.") if is_admins else None
        now = self._clock.now()
        self._jobs.delete(job, at=now, is_restorable=self._undo.is_possible, audit=audit)
        return self._deleted(replace(job, deleted_at=now)) if self._undo.is_possible else JobView(job)

    def deleted(self, identity: Identity) -> Sequence[JobView]:
        """The caller's own that can be brought back, what was deleted last in front."""
        found = self._trash.list(identity.user_id, since=self._undo.since(self._clock.now()))
        return [self._deleted(job) for job in found]

    def restore(self, identity: Identity, job_id: str) -> JobView:
        """Bring a deleted job back; one that is there stays as it is. Raises NotFound, also once its time is over."""
        try:
            job = owned_job(self._trash, identity, job_id)
        except NotFound:
            return self.get(identity, job_id)
        now, is_admins = self._clock.now(), actor_on(job, identity) is Actor.ADMIN
        audit = self._audit(AuditAction.JOB_RESTORED, job, identity, "Restored.") if is_admins else None
        return self._views([self._trash.restore(job.id, since=self._undo.since(now), at=now, audit=audit)])[0]

    def _deleted(self, job: Job) -> JobView:
        undo_seconds = self._undo.window.total_seconds()
        return JobView(job, restorable_until=self._undo.restorable_until(job), undo_seconds=undo_seconds)

    def _audit(self, action: AuditAction, job: Job, identity: Identity, message: str) -> AuditEntry:
        data = {"owner": job.user_id, "status": job.status}
        return AuditEntry(
            actor=identity.user_id, action=action, subject=job.id, message=message, data=data, at=self._clock.now()
        )

    def _views(self, jobs: Sequence[Job]) -> Sequence[JobView]:
        queued = [job for job in jobs if job.status is JobStatus.QUEUED]
        places = self._queue.places(queued) if queued else {}
        estimates = self._estimates.of(jobs)
        best = best_checkpoints(self._records, jobs)
        undo_seconds = self._undo.window.total_seconds()
        return [
            JobView(
                job,
                places.get(job.id),
                estimates.get(job.id),
                self._estimates.saved(job),
                undo_seconds=undo_seconds,
                best_checkpoint=best.get(job.id),
            )
            for job in jobs
        ]


def _described(changes: JobChanges) -> str:
    return f"Changed: {', '.join(changes)}."


def _submitted(selection: Selection) -> str:
    left_out = exclusion_sentence(selection.excluded)
    return f"Submitted. Left out of training: {left_out}." if left_out else "Submitted."
