"""What administrators see of the machine's containers, as the orchestrator last saw them, and how they end one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.administration import ContainerSample
from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.identity import Actor, Identity
from orchestrator.domain.job import Job
from orchestrator.ports.clock import Clock
from orchestrator.ports.control_store import ContainerStore
from orchestrator.ports.job_store import JobFilter, JobStore
from orchestrator.ports.wake_up import WakeUp
from orchestrator.ports.workspace import Workspace
from orchestrator.services.ownership import require_admin


@dataclass(frozen=True, slots=True)
class ContainerView:
    """`job` None: no job of this installation, as while a model is built."""

    sample: ContainerSample
    job: Job | None


class Containers:
    """Every method raises Refused (ADMIN_ONLY) for everybody but administrators."""

    def __init__(
        self, *, store: ContainerStore, jobs: JobStore, workspace: Workspace, wake_up: WakeUp, clock: Clock
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._workspace = workspace
        self._wake_up = wake_up
        self._clock = clock

    def list(self, identity: Identity) -> Sequence[ContainerView]:
        """Oldest first, as of the orchestrator's last look a few seconds ago."""
        require_admin(identity)
        samples = self._store.list()
        ids = tuple({sample.container.job_id for sample in samples if sample.container.job_id})
        found = self._jobs.list(JobFilter(ids=ids), page_size=len(ids)).jobs if ids else ()
        jobs = {job.id: job for job in found}
        return [ContainerView(sample, jobs.get(sample.container.job_id)) for sample in samples]

    def get(self, identity: Identity, container_id: str) -> ContainerView:
        """Raises NotFound (CONTAINER_NOT_FOUND)."""
        require_admin(identity)
        sample = self._store.get(container_id)
        try:
            return ContainerView(sample, self._jobs.get(sample.container.job_id))
        except NotFound:
            return ContainerView(sample, None)

    def log(self, identity: Identity, container_id: str, *, tail: int) -> Sequence[str]:
        """The end of what its job's containers printed, as it was captured; empty for one without a job."""
        job = self.get(identity, container_id).job
        return self._workspace.read_log(job.id, tail=tail) if job else ()

    def stop(self, identity: Identity, container_id: str, *, reason: str) -> ContainerView:
        """Ask for the end of the job it belongs to, as its user's own cancel would.

        Raises Conflict (JOB_ENDED) for one whose job has ended or is none of ours: such a one is removed by itself.
        """
        view = self.get(identity, container_id)
        if view.job is None or view.job.status.is_final:
            message = "No job goes on in this container; Lorry removes it by itself."
            raise Conflict(message, code="JOB_ENDED")
        now = self._clock.now()
        audit = AuditEntry(
            actor=identity.user_id,
            action=AuditAction.CONTAINER_STOPPED,
            subject=container_id,
            message=f"Stopped: {reason}",
            data={"job_id": view.job.id, "owner": view.job.user_id},
            at=now,
        )
        actor = Actor.USER if view.job.user_id == identity.user_id else Actor.ADMIN
        stopped = self._jobs.request_cancel(view.job.id, reason=reason, at=now, actor=actor, audit=audit)
        self._wake_up.notify()
        return ContainerView(view.sample, stopped)
