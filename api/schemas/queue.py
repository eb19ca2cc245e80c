"""Who waits, for what, and how full the machine is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.words import WORDS
from orchestrator.domain.scheduling import Place
from orchestrator.services.queue import QueueView


class QueuePlace(BaseModel):
    """Where a job waits, for what, and until when."""

    position: int = Field(description="From 1.")
    reason: str = Field(
        description="What the job waits for, in a sentence's middle.", examples=["no GPU or CPU slot is free"]
    )
    explanation: str = Field(description="The same as a sentence.", examples=["All 2 GPUs are taken."])
    freed_by: str = Field(
        description="What would end the wait.",
        examples=["A running job ends, whoever's it is, and those before this one have started."],
    )
    waiting_since: datetime = Field(
        description="Its submission, or the end of its last attempt.", examples=[WORDS["created_at"]]
    )
    eta_seconds: float | None = Field(description="Until it starts; null where nobody can know.", examples=[240.0])
    eta_low_seconds: float | None = Field(
        description="Should jobs be as fast as the fastest tenth of those that completed here.", examples=[180.0]
    )
    eta_high_seconds: float | None = Field(
        description="Should they be as slow as the slowest tenth; both are null where too few jobs completed to tell.",
        examples=[420.0],
    )

    @classmethod
    def from_domain(cls, place: Place) -> QueuePlace:
        return cls(**_waiting(place))


class WaitingJob(QueuePlace):
    job_id: str
    user_id: str
    priority: int


def _waiting(place: Place) -> dict[str, Any]:
    return {
        "position": place.position,
        **place.hold._asdict(),
        "waiting_since": place.waiting_since,
        "eta_seconds": place.wait.eta_seconds,
        "eta_low_seconds": place.wait.low_seconds,
        "eta_high_seconds": place.wait.high_seconds,
    }


class Devices(BaseModel):
    total: int = Field(description="GPUs, or CPU slots on a machine without any.")
    free: int
    suspect: int = Field(description="Failed a job and completed none since; handed out last.")


class QueueOut(BaseModel):
    """The caller's waiting jobs, and how full the machine is with everybody's."""

    jobs: list[WaitingJob] = Field(description="The caller's own, the one that starts first in front.")
    waiting: int = Field(description="Everybody's waiting jobs.")
    active: int = Field(description="Everybody's pending and running jobs.")
    devices: Devices
    problem: str | None = Field(description="What keeps every job from starting.")
    unreachable_since: datetime | None = Field(description="Since when the Docker Engine has not answered.")

    @classmethod
    def from_domain(cls, view: QueueView) -> QueueOut:
        return cls(
            jobs=[
                WaitingJob(job_id=job_id, user_id=place.user_id, priority=place.priority, **_waiting(place))
                for job_id, place in view.places.items()
            ],
            waiting=view.waiting,
            active=view.active,
            devices=Devices(total=view.devices, free=view.free_devices, suspect=view.suspect_devices),
            problem=view.problem,
            unreachable_since=view.unreachable_since,
        )
