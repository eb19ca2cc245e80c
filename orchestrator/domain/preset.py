"""Presets: named sets of options to start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.domain.training import TrainingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """`config` holds the options that it sets; all others keep their defaults."""

    name: str
    title: str
    description: str
    config: Mapping[str, Any]

    def applied(self, config: TrainingConfig, *, chosen: Iterable[str]) -> TrainingConfig:
        """`config` with the preset's options in it; those that the user chose stay as they were chosen."""
        kept = frozenset(chosen)
        return replace(config, **{name: value for name, value in self.config.items() if name not in kept})
