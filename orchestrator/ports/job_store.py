"""Jobs, attempts and leases. Every write is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.diagnostic import DiagnosticTable
from orchestrator.domain.estimates import Run
from orchestrator.domain.events import JobEvent, Metric
from orchestrator.domain.identity import Actor
from orchestrator.domain.job import Attempt, Job, JobChanges
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.lineage import Lineage
from orchestrator.domain.scheduling import QueuedJob


class JobOrder(StrEnum):
    """How a list is sorted. By a best: the lowest first, then the older; those that have none come last."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    BEST_LOSS = "best_loss"
    BEST_VAL_LOSS = "best_val_loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list holds; None means any. `user_id` None is for admins and the reconciler."""

    ids: tuple[str, ...] = ()
    user_id: str | None = None
    statuses: tuple[JobStatus, ...] = ()
    type: str | None = None
    base_model: str | None = None
    dataset_id: str | None = None
    experiment_id: str | None = None
    text: str | None = None  # contained in the name, any case
    tag: str | None = None
    order: JobOrder = JobOrder.NEWEST


@dataclass(frozen=True, slots=True)
class JobPage:
    jobs: tuple[Job, ...]
    total: int  # matching jobs over all pages; above 10,000 as of a few seconds ago


@dataclass(frozen=True, slots=True)
class Submission:
    """What idempotency remembers: the client's key and a hash of the body it came with."""

    key: str
    body_hash: str


class Standing(NamedTuple):
    """Where a job stands."""

    status: JobStatus
    attempt: int  # number of the newest


class JobStore(Protocol):
    """Errors of every method: StoreUnavailable when the database does not answer."""

    def add(
        self,
        job: Job,
        event: JobEvent,
        submission: Submission | None = None,
        *,
        audit: AuditEntry | None = None,
        table: DiagnosticTable | None = None,
    ) -> Job:
        """Store a new job, with the rows that a diagnostic one brings, and return it; the earlier job when the user
        sent this submission before.

        Raises Conflict (IDEMPOTENCY_KEY_REUSED) when the key came with another body.
        """

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""

    def list(self, wanted: JobFilter, *, page: int = 1, page_size: int = 50) -> JobPage:
        """Newest first, unless the filter says otherwise. `page` counts from 1."""

    def table(self, job_id: str) -> DiagnosticTable | None:
        """The rows that a diagnostic job brought; None without any."""

    def queue(self) -> Sequence[QueuedJob]:
        """Every queued job, oldest first, as little of each as scheduling needs: there may be ten thousand."""

    def recent_runs(self, limit: int = 50) -> Sequence[Run]:
        """How long the newest jobs took that completed at the first attempt, newest submission first."""

    def active(self) -> Sequence[tuple[Job, Attempt]]:
        """Every pending or running job with its newest attempt, oldest first."""

    def standings(self, job_ids: Collection[str]) -> Mapping[str, Standing]:
        """Where each of these jobs stands; one that does not exist is left out."""

    def attempts(self, job_id: str) -> Sequence[Attempt]:
        """All attempts of a job, first to newest; empty for an unknown job."""

    def claim(self, job: Job, attempt: Attempt, event: JobEvent) -> Job:
        """Store the intent to launch: slot, device leases and attempt at once.

        Raises StaleJob when the job changed since it was loaded, SlotTaken when the slot or a device is no longer free.
        """

    def save(
        self,
        job: Job,
        attempt: Attempt | None = None,
        *,
        events: Sequence[JobEvent] = (),
        metrics: Sequence[Metric] = (),
        lineage: Lineage | None = None,
        adapter: Artifact | None = None,
        audit: AuditEntry | None = None,
    ) -> Job:
        """Store a changed job with everything that belongs to the change; leases end with the job.

        `lineage` is what the attempt will train on; `adapter` is what came of it, registered as the job's version.

        Guarded by `job.version`: raises StaleJob, with nothing stored, when it changed since it was loaded, or when
        more of the attempt's events or log was taken in since.
        Metrics of a step already stored are ignored. Returns the job with its new version.
        """

    def advance(
        self,
        job: Job,
        before: Attempt,
        after: Attempt,
        *,
        events: Sequence[JobEvent] = (),
        metrics: Sequence[Metric] = (),
    ) -> None:
        """Store what an attempt brought, as `save` does, and leave the job's row alone: nobody who watches it is told.

        Raises StaleJob, with nothing stored, when the job changed since it was loaded, or when the attempt's place in
        its event file or log is no longer that of `before`.
        """

    def request_cancel(
        self,
        job_id: str,
        *,
        reason: str | None,
        at: datetime,
        saves: bool = True,
        actor: Actor = Actor.USER,
        audit: AuditEntry | None = None,
    ) -> Job:
        """Note the wish to cancel in one statement that cannot lose against a concurrent save.

        A queued job is cancelled at once, an active one keeps its state, an ended one is returned as it is.
        Repeating it keeps the first reason. Without `saves` the container is to get no time for a checkpoint, also
        where an earlier wish gave it some. `audit` is stored with a wish that changes something. Raises NotFound.
        """

    def describe(self, job_id: str, changes: JobChanges, *, at: datetime, audit: AuditEntry | None = None) -> Job:
        """Change what people say of a job, in one statement that cannot lose against a concurrent save.

        Raises NotFound.
        """

    def hold(self, job_id: str, reason: str | None) -> bool:
        """Say why a queued job cannot start yet, or that it can; whether it is queued. It loses no time of waiting."""

    def delete(self, job: Job, *, at: datetime, is_restorable: bool = False, audit: AuditEntry | None = None) -> None:
        """Delete an ended job: no store shows it, its records or its registered version any more.

        Unless it is restorable it is removed with its records; its version's number stays taken. Its files are then
        left to retention, which is told of it.

        Raises StaleJob, with nothing deleted, when it changed since it was loaded.
        """

    def leased_devices(self) -> frozenset[str]:
        """Devices held by active jobs."""
