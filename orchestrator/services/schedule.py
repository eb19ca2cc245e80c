"""Which waiting jobs start in this pass."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.scheduling import Start, plan_starts
from orchestrator.ports.clock import Clock
from orchestrator.ports.device_inventory import DeviceInventory
from orchestrator.ports.job_store import JobFilter, JobStore

# How many waiting jobs one pass looks at; enough to fill every device many times over.
QUEUE_WINDOW = 1_000


class Schedule:
    def __init__(self, *, jobs: JobStore, inventory: DeviceInventory, clock: Clock, max_active_per_user: int) -> None:
        self._jobs = jobs
        self._inventory = inventory
        self._clock = clock
        self._max_active_per_user = max_active_per_user

    def starts(self) -> Sequence[Start]:
        waiting = JobFilter(statuses=(JobStatus.QUEUED,), oldest_first=True)
        queued = self._jobs.list(waiting, page_size=QUEUE_WINDOW).jobs
        if not queued:
            return []
        leased = self._jobs.leased_devices()
        free = [device for device in self._inventory.devices() if device not in leased]
        active = [job for job, _ in self._jobs.active()]
        now = self._clock.now()
        due = [job for job in queued if job.retry_at is None or job.retry_at <= now]
        return plan_starts(due, active, free, max_active_per_user=self._max_active_per_user)
