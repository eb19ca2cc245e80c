"""What an early end saved."""

from __future__ import annotations

from pydantic import BaseModel, Field

from orchestrator.domain.estimates import Saved


class SavedOut(BaseModel):
    """What a job did not take because it ended before its last step: an estimate."""

    steps: int = Field(description="That it did not take.", examples=[580])
    duration_seconds: float
    cost: float | None = Field(description="Null where this installation counts no costs.")
    explanation: str = Field(
        description="What this rests on, for people.",
        examples=["The 580 steps that it did not take, at the pace of those it took."],
    )

    @classmethod
    def from_domain(cls, saved: Saved) -> SavedOut:
        return cls(steps=saved.steps, duration_seconds=saved.seconds, cost=saved.cost, explanation=saved.sentence)
