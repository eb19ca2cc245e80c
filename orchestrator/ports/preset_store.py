"""Presets that an installation offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from orchestrator.domain.preset import Preset


class PresetStore(Protocol):
    def presets(self) -> Sequence[Preset]:
        """In order of their names."""
