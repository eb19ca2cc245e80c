"""What streams send: the name of each event, and the shape of its data."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.bests import Bests
from api.schemas.records import EventOut, MetricOut
from orchestrator.domain.events import JobEvent, Metric
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.streaming import End, LogLines, Piece, Standing
from orchestrator.services.tickets import TICKET_SECONDS, Issued

# Rows of the history that have a name of their own. A trainer chooses the types of its rows; it cannot choose `done`.
_NAMED_ROWS = ("status", "phase", "sample")


class TicketBody(BaseModel):
    """Which stream the ticket is for."""

    job_id: uuid.UUID | None = Field(None, description="One job's stream; without it, that of all of the caller's.")


class TicketOut(BaseModel):
    """A ticket, to be sent as `?ticket=`."""

    ticket: str = Field(examples=["q0VbX8mT2kYp5sWd9nRa"])
    expires_at: datetime = Field(description=f"{TICKET_SECONDS} seconds from now; it opens one stream once.")

    @classmethod
    def from_domain(cls, issued: Issued) -> TicketOut:
        return cls(ticket=issued.ticket, expires_at=issued.expires_at)


class HistoryNews(EventOut):
    """`status`, `phase`, `sample`, `history`: a row of a job's history.

    The `data` of a `sample` has the `artifact_id` of its picture, where that is collected already.
    """

    job_id: str


class MetricNews(MetricOut):
    """`metrics`: measurements at one step."""

    job_id: str


class LogNews(BaseModel):
    """`log`: lines that the container printed; for people, and not to be trusted as HTML."""

    job_id: str
    lines: list[str]


class ProgressNews(BaseModel):
    """`progress`: where a job stands now."""

    job_id: str
    status: JobStatus
    attempt: int
    progress: float = Field(description="Percent, 0 to 100.")
    phase: str | None
    current_step: int
    total_steps: int
    current_epoch: int
    total_epochs: int
    eta_seconds: float | None
    train_count: int | None
    val_count: int | None
    checkpoint_step: int | None = Field(description="Of the newest checkpoint.")
    metrics: dict[str, Any] = Field(description="The last that were measured.")
    best: Bests = Field(description="The best of each metric so far, and its step.")


class EndNews(BaseModel):
    """`done` for a completed job, `error` for one that failed or was cancelled: nothing follows for it."""

    job_id: str
    status: JobStatus
    end_reason: str | None
    exit_code: int | None
    error_message: str | None
    completed_at: datetime | None


class ClosingNews(BaseModel):
    """`closing`: the stream ends, though nothing did; `code` says why."""

    code: str
    message: str


def shown(piece: Piece) -> tuple[str, BaseModel]:
    """The event's name and data."""
    match piece:
        case JobEvent():
            name = piece.type if piece.type in _NAMED_ROWS else "history"
            return name, HistoryNews(job_id=piece.job_id, **EventOut.from_domain(piece).model_dump())
        case Metric():
            return "metrics", MetricNews(job_id=piece.job_id, **MetricOut.from_domain(piece).model_dump())
        case LogLines():
            return "log", LogNews(job_id=piece.job_id, lines=list(piece.lines))
        case Standing():
            return "progress", _progress(piece)
        case End():
            name = "done" if piece.status == JobStatus.COMPLETED else "error"
            return name, EndNews.model_validate(piece, from_attributes=True)


def _progress(standing: Standing) -> ProgressNews:
    progress = standing.progress
    return ProgressNews(
        job_id=standing.job_id,
        status=JobStatus(standing.status),
        attempt=standing.attempt,
        progress=progress.progress,
        phase=progress.phase,
        current_step=progress.current_step,
        total_steps=progress.total_steps,
        current_epoch=progress.current_epoch,
        total_epochs=progress.total_epochs,
        eta_seconds=progress.eta_seconds,
        train_count=progress.train_count,
        val_count=progress.val_count,
        checkpoint_step=progress.checkpoint_step,
        metrics=progress.metrics,
        best=Bests.from_domain(progress),
    )
