"""Presets and recommendations: where settings may come from."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from orchestrator.domain.preset import Preset
from orchestrator.domain.recommendations import Recommendation


class PresetOut(BaseModel):
    name: str = Field(description="As a submission names it.", examples=["subject"])
    title: str = Field(examples=["Subject"])
    description: str = Field(examples=["A person, pet or thing from 10 to 30 pictures."])
    config: dict[str, Any] = Field(
        description="The options that it sets; all others keep their defaults.",
        examples=[{"steps": 1500, "lora_rank": 16}],
    )

    @classmethod
    def from_domain(cls, preset: Preset) -> PresetOut:
        return cls(name=preset.name, title=preset.title, description=preset.description, config=dict(preset.config))


class RecommendationOut(BaseModel):
    """A setting that suits the dataset better than the one in question."""

    option: str = Field(examples=["steps"])
    value: Any = Field(examples=[1500])
    reason: str = Field(examples=["Each of 22 pictures is then seen 68 times."])

    @classmethod
    def from_domain(cls, recommendation: Recommendation) -> RecommendationOut:
        return cls(option=recommendation.option, value=recommendation.value, reason=recommendation.reason)
