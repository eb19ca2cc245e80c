"""The ladder a job climbs when it runs out of memory: each profile needs less than the one before."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from orchestrator.domain.training import TrainingConfig, options

_MOST_ACCUMULATED = options()["gradient_accumulation_steps"][1].maximum or 1


class MemoryProfile(StrEnum):
    NORMAL = "normal"  # the settings as the user sent them
    CHECKPOINTING = "gradient_checkpointing"  # activations are recomputed
    SINGLE = "batch_of_one"  # and batches are split into single pictures whose gradients are added up
    EIGHT_BIT = "optimizer_8bit"  # and what AdamW remembers is kept in eight bits


def applied(config: TrainingConfig, profile: MemoryProfile) -> TrainingConfig:
    """The settings an attempt runs with. What is learned from a step, and how many steps there are, never changes."""
    if profile is MemoryProfile.NORMAL:
        return config
    config = replace(config, gradient_checkpointing=True)
    if profile is MemoryProfile.CHECKPOINTING:
        return config
    if profile is MemoryProfile.EIGHT_BIT and config.optimizer == "adamw":
        config = replace(config, optimizer="adamw8bit")
    accumulated = config.batch_size * config.gradient_accumulation_steps
    if accumulated > _MOST_ACCUMULATED:
        return config
    return replace(config, batch_size=1, gradient_accumulation_steps=accumulated)


def lower(config: TrainingConfig, profile: MemoryProfile) -> MemoryProfile | None:
    """The next profile that would change anything for these settings, None at the ladder's end."""
    ladder = list(MemoryProfile)
    now = applied(config, profile)
    below = ladder[ladder.index(profile) + 1 :]
    return next((lesser for lesser in below if applied(config, lesser) != now), None)
