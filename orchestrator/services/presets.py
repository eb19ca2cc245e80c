"""The presets users may choose from."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.preset import Preset
from orchestrator.ports.preset_store import PresetStore


class Presets:
    def __init__(self, *, store: PresetStore) -> None:
        self._store = store

    def list(self) -> Sequence[Preset]:
        return self._store.presets()
