"""DeviceInventory that asks NVIDIA's management library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from orchestrator.domain.resources import DeviceMemory
from orchestrator.domain.scheduling import CPU_DEVICE_PREFIX

Answer = TypeVar("Answer")


class NvmlInventory:
    """The machine's GPUs, or `cpu_slots` CPU slots on a machine without any.

    GPUs are asked for once: they do not change under a running process, and a driver that stops answering must not
    turn a GPU machine into a CPU one.
    """

    def __init__(self, *, cpu_slots: int) -> None:
        self._cpu_slots = tuple(f"{CPU_DEVICE_PREFIX}{number}" for number in range(cpu_slots))
        self._devices: tuple[str, ...] | None = None
        self._gauge = MemoryGauge()

    def devices(self) -> Sequence[str]:
        if self._devices is None:
            gpus = gpu_uuids()
            self._devices = None if gpus is None else gpus or self._cpu_slots
        return self._devices or ()

    def memory(self) -> Mapping[str, DeviceMemory]:
        return self._gauge.read() if self._devices and self._devices != self._cpu_slots else {}


class MemoryGauge:
    """The memory of the machine's GPUs as of the last reading, each of which begins the next one on a thread of its
    own: a driver that hangs holds up nobody, and what was read last stands."""

    def __init__(self, measure: Callable[[], Mapping[str, DeviceMemory] | None] | None = None) -> None:
        self._measure = measure or gpu_memory
        self._known: Mapping[str, DeviceMemory] = {}
        self._reading: threading.Thread | None = None

    def read(self) -> Mapping[str, DeviceMemory]:
        if self._reading is None or not self._reading.is_alive():
            self._reading = threading.Thread(target=self._look, name="gpu-memory", daemon=True)
            self._reading.start()
        return self._known

    def _look(self) -> None:
        self._known = self._measure() or self._known


def gpu_uuids() -> tuple[str, ...] | None:
    """UUIDs in the driver's order; () without a driver; None when there is a driver that does not answer."""
    return _asked(lambda nvml, handles: tuple(nvml.nvmlDeviceGetUUID(handle) for handle in handles), without_driver=())


def gpu_memory() -> Mapping[str, DeviceMemory] | None:
    """By UUID; empty without a driver; None when there is a driver that does not answer."""

    def measured(nvml: Any, handles: Sequence[Any]) -> Mapping[str, DeviceMemory]:
        found = {nvml.nvmlDeviceGetUUID(handle): nvml.nvmlDeviceGetMemoryInfo(handle) for handle in handles}
        return {uuid: DeviceMemory(int(info.total), int(info.free)) for uuid, info in found.items()}

    nothing: Mapping[str, DeviceMemory] = {}
    return _asked(measured, without_driver=nothing)


def _asked(ask: Callable[[Any, Sequence[Any]], Answer], *, without_driver: Answer) -> Answer | None:
    import pynvml  # noqa: PLC0415 - machines without a GPU never load it

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return without_driver
    except pynvml.NVMLError:
        return None
    try:
        return ask(pynvml, [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())])
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
