"""Which devices a job may be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.domain.resources import DeviceMemory


class DeviceInventory(Protocol):
    def devices(self) -> Sequence[str]:
        """GPU UUIDs in a stable order, or `cpu-0..n` slots where jobs run without a GPU."""

    def memory(self) -> Mapping[str, DeviceMemory]:
        """As last measured, by UUID, of those GPUs whose driver answers. Never waits for it."""
