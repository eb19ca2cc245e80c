"""What administrators see of all users' jobs and devices, and what they decide. Each decision is on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.administration import Maintenance
from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Job
from orchestrator.ports.clock import Clock
from orchestrator.ports.control_store import ControlStore
from orchestrator.ports.job_store import JobFilter, JobStore
from orchestrator.ports.record_store import RecordStore, SuspectDevice
from orchestrator.ports.wake_up import WakeUp
from orchestrator.services.best_checkpoints import best_checkpoints
from orchestrator.services.jobs import JobView, JobViewPage
from orchestrator.services.ownership import require_admin
from orchestrator.services.queue import Queue, QueueView


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A GPU by its UUID, or a CPU slot."""

    id: str
    job: Job | None  # that holds it
    leased_at: datetime | None
    suspect: SuspectDevice | None


class Admin:
    """Every method raises Refused (ADMIN_ONLY) for everybody but administrators."""

    def __init__(
        self,
        *,
        store: ControlStore,
        jobs: JobStore,
        records: RecordStore,
        queue: Queue,
        wake_up: WakeUp,
        clock: Clock,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._records = records
        self._queue = queue
        self._wake_up = wake_up
        self._clock = clock

    def jobs(self, identity: Identity, wanted: JobFilter, *, page: int, page_size: int) -> JobViewPage:
        """All users' jobs, or those of the user whom `wanted` names."""
        require_admin(identity)
        found = self._jobs.list(wanted, page=page, page_size=page_size)
        places = self._queue.places(found.jobs)
        best = best_checkpoints(self._records, found.jobs)
        views = [JobView(job, places.get(job.id), best_checkpoint=best.get(job.id)) for job in found.jobs]
        return JobViewPage(tuple(views), found.total)

    def queue(self, identity: Identity) -> QueueView:
        require_admin(identity)
        return self._queue.look(identity, is_of_everybody=True)

    def devices(self, identity: Identity) -> Sequence[Device]:
        """What the orchestrator last found, and devices that are gone but still leased."""
        require_admin(identity)
        status = self._records.engine_status()
        held = {device: (job, attempt) for job, attempt in self._jobs.active() for device in attempt.devices}
        suspects = {suspect.device: suspect for suspect in self._records.suspect_devices()}
        known = dict.fromkeys((*(status.devices if status else ()), *held))
        return [
            Device(
                id=each,
                job=held[each][0] if each in held else None,
                leased_at=held[each][1].created_at if each in held else None,
                suspect=suspects.get(each),
            )
            for each in known
        ]

    def clear_suspect(self, identity: Identity, device: str) -> None:
        """Hand it out like any other again. Raises NotFound (DEVICE_NOT_FOUND) for one that is not suspect."""
        require_admin(identity)
        self._store.clear_suspect(device, self._entry(identity, AuditAction.SUSPECT_CLEARED, device, "Trusted again."))

    def prioritise(self, identity: Identity, job_id: str, priority: int) -> JobView:
        """Raises NotFound, and Conflict (JOB_NOT_QUEUED) for a job that does not wait."""
        require_admin(identity)
        job = self._jobs.get(job_id)
        data = {"owner": job.user_id, "before": job.priority, "after": priority}
        message = f"Priority {priority} instead of {job.priority}."
        entry = self._entry(identity, AuditAction.PRIORITY_CHANGED, job_id, message, data)
        self._store.set_priority(job_id, priority, entry)
        self._wake_up.notify()
        stored = self._jobs.get(job_id)
        return JobView(stored, self._queue.places([stored]).get(job_id))

    def limits(self, identity: Identity) -> Mapping[str, int]:
        """Users whose limit is not the installation's."""
        require_admin(identity)
        return self._store.limits()

    def set_limit(self, identity: Identity, user_id: str, max_active_jobs: int | None) -> Mapping[str, int]:
        """None is the installation's limit again. Jobs that run already go on."""
        require_admin(identity)
        allowed = "the installation's limit of" if max_active_jobs is None else str(max_active_jobs)
        entry = self._entry(identity, AuditAction.LIMIT_CHANGED, user_id, f"May have {allowed} active jobs.")
        self._store.set_limit(user_id, max_active_jobs, entry, at=entry.at)
        self._wake_up.notify()
        return self._store.limits()

    def maintenance(self, identity: Identity) -> Maintenance | None:
        require_admin(identity)
        return self._store.maintenance()

    def begin_maintenance(self, identity: Identity, reason: str) -> Maintenance | None:
        """From now on jobs are accepted and queued, and none starts; those that run go on."""
        require_admin(identity)
        entry = self._entry(identity, AuditAction.MAINTENANCE_BEGUN, "queue", reason)
        self._store.begin_maintenance(Maintenance(reason=reason, actor=identity.user_id, since=entry.at), entry)
        return self._store.maintenance()

    def end_maintenance(self, identity: Identity) -> None:
        require_admin(identity)
        self._store.end_maintenance(self._entry(identity, AuditAction.MAINTENANCE_ENDED, "queue", "Jobs start again."))
        self._wake_up.notify()

    def _entry(
        self,
        identity: Identity,
        action: AuditAction,
        subject: str,
        message: str,
        data: dict[str, object] | None = None,
    ) -> AuditEntry:
        return AuditEntry(
            actor=identity.user_id,
            action=action,
            subject=subject,
            message=message,
            data=data or {},
            at=self._clock.now(),
        )
