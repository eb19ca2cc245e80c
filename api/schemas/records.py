"""What a job left behind: history, metrics, files."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from api.schemas.envelope import Listing, example
from api.schemas.words import WORDS
from orchestrator.domain.artifact import Artifact, ArtifactKind, checkpoint_of, is_promotable
from orchestrator.domain.curves import Curve
from orchestrator.domain.events import JobEvent, Metric
from orchestrator.ports.workspace import LogPart
from orchestrator.services.records import Link
from orchestrator.services.tickets import Issued

# OpenAPI entry of a log's lines, which are no field's.
LOG_LINES: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "ok": True,
            "data": ["Loaded 22 pictures, 2 of them held out.", "step 420/1000 loss 0.0813"],
            "total": 2,
            "page": 1,
            "page_size": 2,
            "first_line": 41,
            "line_count": 42,
        }
    )
}


class LogListing(Listing[str]):
    """Lines of a log that stand behind each other."""

    first_line: int = Field(description="Number of the first of them in the whole log, from 1; it never changes.")
    line_count: int = Field(description="Of the whole log.")

    @classmethod
    def from_domain(cls, part: LogPart) -> LogListing:
        lines = list(part.lines)
        return cls(
            data=lines,
            total=len(lines),
            page_size=len(lines),
            first_line=part.first_line,
            line_count=part.line_count,
        )


class EventOut(BaseModel):
    """One line of a job's history."""

    id: int = Field(description="Ascending; ask for those `after` the last one seen.", examples=[1042])
    attempt: int
    type: str = Field(description="`status` for a transition, else what the trainer reported.", examples=["status"])
    message: str = Field(examples=["The container is running."])
    at: datetime
    old_status: str | None = Field(examples=["pending"])
    new_status: str | None = Field(examples=["running"])
    data: dict[str, Any] = Field(examples=[{}])

    @classmethod
    def from_domain(cls, event: JobEvent) -> EventOut:
        return cls(
            id=event.id or 0,
            attempt=event.attempt,
            type=event.type,
            message=event.message,
            at=event.at,
            old_status=event.old_status,
            new_status=event.new_status,
            data=event.data,
        )


class MetricOut(BaseModel):
    """Measurements at one step."""

    attempt: int
    step: int
    epoch: int
    loss: float
    val_loss: float | None
    learning_rate: float | None
    throughput: float | None = Field(description="Samples a second.")
    gpu_utilization: float | None
    gpu_memory_bytes: int | None
    recorded_at: datetime

    @classmethod
    def from_domain(cls, metric: Metric) -> MetricOut:
        return cls(
            attempt=metric.attempt,
            step=metric.step,
            epoch=metric.epoch,
            loss=metric.loss,
            val_loss=metric.val_loss,
            learning_rate=metric.learning_rate,
            throughput=metric.throughput,
            gpu_utilization=metric.gpu_utilization,
            gpu_memory_bytes=metric.gpu_memory_bytes,
            recorded_at=metric.recorded_at,
        )


class MetricListing(Listing[MetricOut]):
    """A curve."""

    measured_count: int = Field(
        description="How many points there are; `total` is less where they were thinned.", examples=[1]
    )

    @classmethod
    def from_domain(cls, curve: Curve) -> MetricListing:
        data = [MetricOut.from_domain(metric) for metric in curve.points]
        return cls(data=data, total=len(data), page_size=len(data), measured_count=curve.measured_count)


def download_path(artifact_id: str) -> str:
    return f"/api/artifacts/{artifact_id}/download"


class LinkOut(BaseModel):
    """Where to download a file."""

    url: str = Field(
        description="Of the copy in Storage, for whoever has it; a path on this server where there is none.",
        examples=[WORDS["download_url"]],
    )
    expires_at: datetime | None = Field(
        description="When it must have been followed. Null for the plain path on this server, which needs the token.",
        examples=[None],
    )

    @classmethod
    def from_domain(cls, link: Link | Issued | None, artifact_id: str, name: str | None = None) -> LinkOut:
        match link:
            case Link():
                return cls(url=link.url, expires_at=link.expires_at)
            case Issued():
                query = {"ticket": link.ticket} | ({"name": name} if name else {})
                return cls(url=f"{download_path(artifact_id)}?{urlencode(query)}", expires_at=link.expires_at)
            case None:
                return cls(url=download_path(artifact_id), expires_at=None)


class ArtifactOut(BaseModel):
    """One file."""

    id: str = Field(examples=[WORDS["artifact_id"]])
    job_id: str
    attempt: int
    kind: ArtifactKind
    name: str = Field(examples=["my-cat.safetensors"])
    path: str = Field(description="Relative to the job's files; unique among them, which a name is not.")
    checkpoint: str | None = Field(
        description="The checkpoint that it is of; `promote` makes an adapter of one.", examples=[None]
    )
    is_promotable: bool = Field(description="Whether it is a checkpoint's adapter that was not registered yet.")
    size_bytes: int
    sha256: str
    download_url: str = Field(description="Path on this server; needs the token.")
    created_at: datetime

    @classmethod
    def from_domain(cls, artifact: Artifact) -> ArtifactOut:
        return cls(
            id=artifact.id,
            job_id=artifact.job_id,
            attempt=artifact.attempt,
            kind=artifact.kind,
            name=artifact.name,
            path=artifact.path,
            checkpoint=checkpoint_of(artifact),
            is_promotable=is_promotable(artifact),
            size_bytes=artifact.size_bytes,
            sha256=artifact.sha256,
            download_url=download_path(artifact.id),
            created_at=artifact.created_at,
        )
