"""What may be asked of a job that is there."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.texts import Reason
from orchestrator.domain.job import FROM_SCRATCH


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

    from_checkpoint: bool | CheckpointName = Field(
        default=True,
        description="true goes on from the newest checkpoint, false starts over; a name or a file's id picks one.",
    )

    def to_domain(self) -> str | None:
        """The checkpoint's name, "scratch", or None for the newest."""
        if isinstance(self.from_checkpoint, str):
            return self.from_checkpoint
        return None if self.from_checkpoint else FROM_SCRATCH
