"""DeviceInventory that asks NVIDIA's management library."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.scheduling import CPU_DEVICE_PREFIX


class NvmlInventory:
    """The machine's GPUs, or `cpu_slots` CPU slots on a machine without any.

    GPUs are asked for once: they do not change under a running process, and a driver that stops answering must not
    turn a GPU machine into a CPU one.
    """

    def __init__(self, *, cpu_slots: int) -> None:
        self._cpu_slots = tuple(f"{CPU_DEVICE_PREFIX}{number}" for number in range(cpu_slots))
        self._devices: tuple[str, ...] | None = None

    def devices(self) -> Sequence[str]:
        if self._devices is None:
            gpus = gpu_uuids()
            self._devices = None if gpus is None else gpus or self._cpu_slots
        return self._devices or ()


def gpu_uuids() -> tuple[str, ...] | None:
    """UUIDs in the driver's order; () without a driver; None when there is a driver that does not answer."""
    import pynvml  # noqa: PLC0415 - machines without a GPU never load it

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return ()
    except pynvml.NVMLError:
        return None
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return tuple(pynvml.nvmlDeviceGetUUID(handle) for handle in handles)
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
