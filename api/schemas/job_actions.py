"""What may be asked of a job that is there."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.texts import Reason
from orchestrator.domain.job import FROM_SCRATCH
from orchestrator.domain.training import options
from orchestrator.services.reproduction import ContinueRequest

MOST_STEPS = int(options()["steps"][1].maximum or 0)


class CancelBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason | None = Field(None, description="Shown in the job's history.")
    save: bool = Field(
        default=True,
        strict=True,
        description="false gives its container no time to save a checkpoint, also after a cancel that gave some.",
    )


CheckpointName = Annotated[str, Field(pattern=r"^(step-[0-9]{6}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$")]


class RetryBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_checkpoint: Annotated[bool, Field(strict=True)] | CheckpointName = Field(
        default=True,
        description="true goes on from the newest checkpoint, false starts over; a name or a file's id picks one.",
    )

    def to_domain(self) -> str | None:
        """The checkpoint's name, "scratch", or None for the newest."""
        if isinstance(self.from_checkpoint, str):
            return self.from_checkpoint
        return None if self.from_checkpoint else FROM_SCRATCH


class ContinueBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    steps: int | None = Field(
        None,
        ge=1,
        le=MOST_STEPS,
        strict=True,
        description="In all, those up to the checkpoint included. Null: what the job was to take, or as many again "
        "where it took all of them.",
        examples=[2000],
    )
    from_checkpoint: CheckpointName | None = Field(
        None,
        description="A checkpoint's name or the id of one of its files; null is the newest.",
        examples=["step-001000"],
    )

    def to_domain(self) -> ContinueRequest:
        return ContinueRequest(steps=self.steps, checkpoint=self.from_checkpoint)
