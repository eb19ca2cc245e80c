"""Diagnostic jobs as they are asked for and as they are shown."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from orchestrator.domain.diagnostic import MAX_TABLE_LENGTH, DiagnosticConfig, DiagnosticTable
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.services.jobs import JobView
from orchestrator.services.train import TrainRequest


class TrainBody(BaseModel):
    """A small regression. Every field has a default."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"epochs": 3, "batch_size": 16, "lr": 0.01}}
    )

    epochs: int = Field(10, ge=1, le=1_000, strict=True, description="Passes over the rows.")
    batch_size: int = Field(16, ge=1, le=4_096, strict=True, description="Rows in one step.")
    lr: float = Field(0.01, ge=1e-6, le=1, allow_inf_nan=False, description="AdamW's step size.")
    dataset: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_TABLE_LENGTH,
        description="The rows themselves, never a path: CSV, with or without a header, or JSONL; numbers, the last "
        "column to be predicted, at least 8 rows of 2. null: the trainer makes rows up.",
    )

    @field_validator("dataset")
    @classmethod
    def _is_a_text_of_lines(cls, value: str | None) -> str | None:
        if value is not None and ("\x00" in value or "\n" not in value.strip()):
            raise ValueError("must be CSV or JSONL of several lines; a path is not read")
        return value

    def to_domain(self) -> TrainRequest:
        return TrainRequest(
            config=DiagnosticConfig(epochs=self.epochs, batch_size=self.batch_size, learning_rate=self.lr),
            table=DiagnosticTable.of(self.dataset) if self.dataset is not None else None,
        )


class StopTrainBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    job_id: Annotated[uuid.UUID, Field(strict=False)]


class TrainOut(BaseModel):
    """A diagnostic job; `GET /training/jobs/{job_id}` and all that is under it know it too."""

    job_id: str
    status: JobStatus
    progress: float = Field(description="Percent.")
    epoch: int
    total_epochs: int
    step: int
    total_steps: int
    loss: float | None = Field(description="Of the last step that was reported.")
    val_loss: float | None
    epochs: int
    batch_size: int
    lr: float
    waits_for: str | None = Field(description="While it is queued.")
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @classmethod
    def from_domain(cls, view: JobView) -> TrainOut:
        job, params = view.job, view.job.config.as_params()
        progress = job.progress
        return cls(
            job_id=job.id,
            status=job.status,
            progress=progress.progress,
            epoch=progress.current_epoch,
            total_epochs=progress.total_epochs or params["epochs"],
            step=progress.current_step,
            total_steps=progress.total_steps or job.config.steps,
            loss=_number(progress.metrics.get("loss")),
            val_loss=_number(progress.metrics.get("val_loss")),
            epochs=params["epochs"],
            batch_size=params["batch_size"],
            lr=params["learning_rate"],
            waits_for=view.place.reason if view.place else None,
            error_message=job.error_message,
            created_at=job.created_at,
            started_at=job.started_at,
            completed_at=job.completed_at,
        )


def _number(value: Any) -> float | None:
    """A trainer may report what it likes."""
    return value if isinstance(value, int | float) else None
