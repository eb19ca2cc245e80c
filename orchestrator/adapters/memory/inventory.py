"""DeviceInventory that is told its devices: in tests, and where the settings name them."""

from __future__ import annotations

from collections.abc import Sequence


class FixedInventory:
    def __init__(self, devices: Sequence[str]) -> None:
        self._devices = tuple(devices)

    def devices(self) -> Sequence[str]:
        return self._devices
