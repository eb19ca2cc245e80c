"""Presets and recommendations: where settings may come from."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from orchestrator.domain.preset import Preset
from orchestrator.domain.recommendations import Recommendation


class PresetOut(BaseModel):
    name: str = Field(description="As a submission names it.", examples=["subject"])
    title: str
    description: str
    config: dict[str, Any] = Field(description="The options that it sets; all others keep their defaults.")

    @classmethod
    def from_domain(cls, preset: Preset) -> PresetOut:
        return cls(name=preset.name, title=preset.title, description=preset.description, config=dict(preset.config))


class RecommendationOut(BaseModel):
    """A setting that suits the dataset better than the one in question."""

    option: str = Field(examples=["steps"])
    value: Any
    reason: str

    @classmethod
    def from_domain(cls, recommendation: Recommendation) -> RecommendationOut:
        return cls(option=recommendation.option, value=recommendation.value, reason=recommendation.reason)
