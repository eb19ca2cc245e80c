"""DeviceInventory that is told its devices: in tests, and where the settings name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orchestrator.domain.resources import DeviceMemory


class FixedInventory:
    """`measure` tells the memory of the machine's GPUs, of which only the named ones are told on."""

    def __init__(self, devices: Sequence[str], *, measure: Callable[[], Mapping[str, DeviceMemory]] = dict) -> None:
        self._devices = tuple(devices)
        self._measure = measure

    def devices(self) -> Sequence[str]:
        return self._devices

    def memory(self) -> Mapping[str, DeviceMemory]:
        return {device: memory for device, memory in self._measure().items() if device in self._devices}
