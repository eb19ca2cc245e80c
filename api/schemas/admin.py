"""What administrators are shown, and what they may say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.texts import Reason
from api.schemas.training import JobQuery
from api.schemas.words import WORDS
from orchestrator.domain.administration import MAX_ACTIVE_JOBS, ContainerDetails, Maintenance
from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.domain.container import ContainerState
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.job_store import JobFilter
from orchestrator.services.admin import Device
from orchestrator.services.containers import ContainerView

_MAINTENANCE = "A disk is replaced; back at noon."
UserId = Annotated[str, Field(min_length=1, max_length=200)]


class AuditEntryOut(BaseModel):
    """One act of an administrator or operator."""

    id: int = Field(examples=[128])
    actor: str = Field(description="A user's id, or `operator` for the command line.")
    action: AuditAction = Field(examples=["priority_changed"])
    subject: str = Field(description="What was acted on.", examples=[WORDS["job_id"]])
    message: str = Field(examples=["Priority 2 instead of 0."])
    data: dict[str, Any] = Field(examples=[{"before": 0, "after": 2}])
    at: datetime

    @classmethod
    def from_domain(cls, entry: AuditEntry) -> AuditEntryOut:
        return cls(
            id=entry.id or 0,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            message=entry.message,
            data=entry.data,
            at=entry.at,
        )


class MountOut(BaseModel):
    source: str = Field(description="On the host.", examples=[f"/srv/lorry/datasets/{WORDS['dataset_id']}"])
    target: str = Field(examples=["/workspace/dataset"])
    is_read_only: bool


class LimitsOut(BaseModel):
    """null: without such a limit."""

    memory_bytes: int | None
    cpus: float | None
    pids: int | None
    shm_bytes: int | None


class UsageOut(BaseModel):
    """null: it does not run, or was looked at once only."""

    cpu_percent: float | None = Field(description="100 is one whole CPU.")
    memory_bytes: int | None
    pids: int | None
    gpu_utilization: float | None = Field(description="Percent, as its trainer last reported it.")
    gpu_memory_bytes: int | None = Field(description="The same.")


class ContainerOut(BaseModel):
    """A container as the orchestrator last saw it, a few seconds ago."""

    id: str = Field(examples=[WORDS["container_id"]])
    name: str = Field(examples=[f"training-{WORDS['job_id']}"])
    state: ContainerState = Field(examples=["running"])
    image: str | None = Field(description="null when it went away before it was looked at.")
    image_digest: str | None
    mounts: list[MountOut]
    limits: LimitsOut | None
    usage: UsageOut
    job_id: str | None
    attempt: int | None
    owner: str | None = Field(description="Whose job it is.")
    job_status: JobStatus | None
    gpu_ids: list[str]
    created_at: datetime | None
    started_at: datetime | None
    age_seconds: float | None
    sampled_at: datetime

    @classmethod
    def from_domain(cls, view: ContainerView) -> ContainerOut:
        sample, job = view.sample, view.job
        container, details = sample.container, sample.details
        age = (sample.sampled_at - container.created_at).total_seconds() if container.created_at else None
        return cls(
            id=container.id,
            name=container.name,
            state=container.state,
            image=details.image if details else None,
            image_digest=container.image_digest,
            mounts=_mounts(details),
            limits=_limits(details),
            usage=_usage(view),
            job_id=job.id if job else None,
            attempt=container.attempt if job else None,
            owner=job.user_id if job else None,
            job_status=job.status if job else None,
            gpu_ids=list(job.gpu_ids) if job else [],
            created_at=container.created_at,
            started_at=container.started_at,
            age_seconds=max(0.0, age) if age is not None else None,
            sampled_at=sample.sampled_at,
        )


class StopBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(min_length=1, description="Its owner reads it in the job's history.")


class SuspectOut(BaseModel):
    reason: str = Field(examples=["The GPU fell off the bus (Xid 79)."])
    job_id: str = Field(description="The last it failed.")
    suspect_since: datetime


class DeviceOut(BaseModel):
    """A GPU, or a CPU slot on a machine without any."""

    id: str = Field(examples=[WORDS["device"]])
    job_id: str | None = Field(description="The job that holds it.")
    owner: str | None
    leased_at: datetime | None
    suspect: SuspectOut | None = Field(description="It failed a job and completed none since: handed out last.")

    @classmethod
    def from_domain(cls, device: Device) -> DeviceOut:
        suspect = device.suspect
        return cls(
            id=device.id,
            job_id=device.job.id if device.job else None,
            owner=device.job.user_id if device.job else None,
            leased_at=device.leased_at,
            suspect=SuspectOut(reason=suspect.reason, job_id=suspect.job_id, suspect_since=suspect.suspect_since)
            if suspect
            else None,
        )


class DeviceBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    device: str = Field(min_length=1, max_length=200, description="As `/admin/gpus` lists it.")


class AdminJobQuery(JobQuery):
    user_id: UserId | None = Field(None, description="Only this user's.")

    def to_domain(self) -> JobFilter:
        return replace(super().to_domain(), user_id=self.user_id)


class PriorityBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    priority: int = Field(ge=-1, le=2, strict=True, description="Higher starts first.", examples=[2])


class UserLimitBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user_id: UserId
    max_active_jobs: int | None = Field(
        ge=0, le=MAX_ACTIVE_JOBS, strict=True, description="0 lets nothing start; null is the installation's limit."
    )


class UserLimitOut(BaseModel):
    user_id: str
    max_active_jobs: int


class MaintenanceBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(min_length=1, description="Everybody whose job waits reads it.", examples=[_MAINTENANCE])


class MaintenanceOut(BaseModel):
    is_on: bool
    reason: str | None = Field(None, examples=[_MAINTENANCE])
    actor: str | None = None
    since: datetime | None = None

    @classmethod
    def from_domain(cls, maintenance: Maintenance | None) -> MaintenanceOut:
        if maintenance is None:
            return cls(is_on=False)
        return cls(is_on=True, reason=maintenance.reason, actor=maintenance.actor, since=maintenance.since)


def _mounts(details: ContainerDetails | None) -> list[MountOut]:
    mounts = details.mounts if details else ()
    return [MountOut(source=each.source, target=each.target, is_read_only=each.is_read_only) for each in mounts]


def _limits(details: ContainerDetails | None) -> LimitsOut | None:
    if details is None:
        return None
    return LimitsOut(
        memory_bytes=details.memory_bytes, cpus=details.cpus, pids=details.pids, shm_bytes=details.shm_bytes
    )


def _usage(view: ContainerView) -> UsageOut:
    """A trainer may report what it likes: only numbers are shown as numbers."""
    reported = view.job.progress.metrics if view.job and view.sample.is_running else {}
    utilization, memory = reported.get("gpu_utilization"), reported.get("gpu_memory_bytes")
    return UsageOut(
        cpu_percent=view.sample.cpu_percent,
        memory_bytes=view.sample.memory_bytes,
        pids=view.sample.pids,
        gpu_utilization=utilization if isinstance(utilization, int | float) else None,
        gpu_memory_bytes=int(memory) if isinstance(memory, int | float) else None,
    )
