"""Which devices a job may be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class DeviceInventory(Protocol):
    def devices(self) -> Sequence[str]:
        """GPU UUIDs in a stable order, or `cpu-0..n` slots where jobs run without a GPU."""
