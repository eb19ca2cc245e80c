"""PresetStore over a list."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.preset import Preset


class MemoryPresetStore:
    def __init__(self, presets: Sequence[Preset] = ()) -> None:
        self._presets = sorted(presets, key=lambda preset: preset.name)

    def presets(self) -> Sequence[Preset]:
        return self._presets
