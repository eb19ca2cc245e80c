"""The best that a training has come to so far."""

from __future__ import annotations

from pydantic import BaseModel, Field

from orchestrator.domain.job import Progress


class BestFigure(BaseModel):
    """A figure, and when in the training it was measured."""

    value: float = Field(examples=[0.0907])
    step: int = Field(examples=[400])

    @classmethod
    def of(cls, value: float | None, step: int | None) -> BestFigure | None:
        return cls(value=value, step=step) if value is not None and step is not None else None


class Bests(BaseModel):
    """By metric; null where nothing was measured yet."""

    loss: BestFigure | None = Field(description="The lowest, over all attempts.")
    val_loss: BestFigure | None = Field(description="The lowest of the validations.")

    @classmethod
    def from_domain(cls, progress: Progress) -> Bests:
        return cls(
            loss=BestFigure.of(progress.best_loss, progress.best_loss_step),
            val_loss=BestFigure.of(progress.best_val_loss, progress.best_val_loss_step),
        )
