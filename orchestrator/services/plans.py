"""Submissions thought through before they are made: when they would start, what they would take, what speaks against
them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orchestrator.domain.dataset import Dataset
from orchestrator.domain.errors import Conflict, Violation
from orchestrator.domain.estimates import Estimate
from orchestrator.domain.job import Job
from orchestrator.domain.plan_warnings import PlanWarning, WarningCode, plan_warnings
from orchestrator.domain.recommendations import Recommendation, recommendations
from orchestrator.domain.resources import DiskNeed, MemoryNeed, disk_need, memory_need
from orchestrator.domain.scheduling import Place
from orchestrator.ports.disk import Disk
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.services.drafts import Draft
from orchestrator.services.estimates import Estimates
from orchestrator.services.queue import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a submission would do; `job` is not stored. `place` None: it would start now."""

    job: Job
    dataset: Dataset
    train_count: int
    val_count: int
    total_epochs: int
    place: Place | None
    estimate: Estimate | None  # None: no job like it has completed here
    disk: DiskNeed
    memory: MemoryNeed | None  # None: nobody knows, or there is no GPU here
    warnings: Sequence[PlanWarning]
    recommendations: Sequence[Recommendation]


class Plans:
    def __init__(self, *, jobs: JobStore, records: RecordStore, queue: Queue, estimates: Estimates, disk: Disk) -> None:
        self._jobs = jobs
        self._records = records
        self._queue = queue
        self._estimates = estimates
        self._disk = disk

    def of(self, draft: Draft) -> Plan:
        job, train_count = draft.job, draft.job.progress.train_count or 0
        estimate = self._estimate(draft)
        disk, memory = self._disk_need(draft), self._memory_need(draft, estimate)
        return Plan(
            job=job,
            dataset=draft.dataset,
            train_count=train_count,
            val_count=job.progress.val_count or 0,
            total_epochs=job.training_config.total_epochs(train_count),
            place=self._queue.place_if_submitted(job),
            estimate=estimate,
            disk=disk,
            memory=memory,
            warnings=plan_warnings(job, draft.selection.items, disk=disk, memory=memory),
            recommendations=recommendations(draft.selection.items, type=job.type, config=job.training_config),
        )

    def require_accepted(self, draft: Draft, accepted: Collection[WarningCode]) -> None:
        """Raises Conflict (WARNINGS_NOT_ACCEPTED) with every warning that is not among the accepted ones."""
        disk, memory = self._disk_need(draft), self._memory_need(draft, self._estimate(draft))
        warnings = plan_warnings(draft.job, draft.selection.items, disk=disk, memory=memory)
        left = [warning for warning in warnings if warning.code not in accepted]
        if left:
            message = " ".join(warning.message for warning in left)
            details = [Violation(warning.field or "accepted_warnings", warning.message) for warning in left]
            raise Conflict(message, code="WARNINGS_NOT_ACCEPTED", details=details)

    def _estimate(self, draft: Draft) -> Estimate | None:
        return self._estimates.of([draft.job]).get(draft.job.id)

    def _disk_need(self, draft: Draft) -> DiskNeed:
        return disk_need(
            draft.job.training_config,
            draft.model.entry,
            is_here=draft.model.is_usable,
            free_bytes=self._disk.free_bytes(),
        )

    def _memory_need(self, draft: Draft, estimate: Estimate | None) -> MemoryNeed | None:
        status = self._records.engine_status()
        if status is None or not status.device_memory:
            return None
        measured_bytes = estimate.memory_bytes if estimate else None
        weight_bytes = draft.model.entry.memory_bytes
        return memory_need(measured_bytes, weight_bytes, status.device_memory, held=self._jobs.leased_devices())
