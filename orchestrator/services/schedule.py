"""Which waiting jobs start in this pass, and which devices they had better not get."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.job import Attempt
from orchestrator.domain.lifecycle import ENDINGS, EndReason, JobStatus
from orchestrator.domain.scheduling import Capacity, SchedulingPolicy, Start, Turn, survey
from orchestrator.ports.clock import Clock
from orchestrator.ports.device_inventory import DeviceInventory
from orchestrator.ports.job_store import JobFilter, JobStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.services.models import ModelHolds
from orchestrator.services.staging import Staging


class Schedule:
    def __init__(
        self,
        *,
        jobs: JobStore,
        records: RecordStore,
        inventory: DeviceInventory,
        clock: Clock,
        policy: SchedulingPolicy,
        model_holds: ModelHolds,
        staging: Staging,
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._inventory = inventory
        self._clock = clock
        self._policy = policy
        self._model_holds = model_holds
        self._staging = staging

    def starts(self) -> Sequence[Start]:
        """In the order of the queue. With every device taken the queue is not even read."""
        devices = self._inventory.devices()
        if self._jobs.leased_devices().issuperset(devices):
            return []
        capacity = capacity_of(devices, jobs=self._jobs, records=self._records)
        waiting = self._jobs.queue()
        holds = self._model_holds.reasons() if waiting else {}
        turns = survey(waiting, capacity, now=self._clock.now(), policy=self._policy, model_holds=holds)
        self._staging.resume([turn.job.id for turn in turns if turn.job.hold_reason])
        starts = self._loaded([turn for turn in turns if turn.starts_now])
        return [start for start in starts if self._staging.is_ready(start.job)]

    def note_end(self, attempt: Attempt, reason: EndReason) -> None:
        """Remember devices that failed an attempt, to be handed out last, until a job completes on them."""
        if reason is EndReason.GPU_FAILED:
            sentence, now = ENDINGS[reason].sentence, self._clock.now()
            self._records.mark_suspect(attempt.devices, reason=sentence, job_id=attempt.job_id, at=now)
        elif ENDINGS[reason].status is JobStatus.COMPLETED:
            self._records.clear_suspect(attempt.devices)

    def _loaded(self, turns: Sequence[Turn]) -> Sequence[Start]:
        """The jobs as they are by now; one that was cancelled in the meantime is left out."""
        if not turns:
            return []
        wanted = JobFilter(ids=tuple(turn.job.id for turn in turns), statuses=(JobStatus.QUEUED,))
        jobs = {job.id: job for job in self._jobs.list(wanted, page_size=len(turns)).jobs}
        return [Start(jobs[turn.job.id], turn.slot, turn.devices) for turn in turns if turn.job.id in jobs]


def capacity_of(devices: Sequence[str], *, jobs: JobStore, records: RecordStore) -> Capacity:
    """What of these devices is taken, and by whom."""
    return Capacity(
        devices=devices,
        leased=jobs.leased_devices(),
        active=[job for job, _ in jobs.active()],
        suspects={suspect.device: suspect.job_id for suspect in records.suspect_devices()},
        rules=records.house_rules(),
    )
