"""Clock, disk, wake-up and devices."""

from __future__ import annotations

import shutil
import threading
import time
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.filesystem.disk import FilesystemDisk
from orchestrator.adapters.memory import FixedInventory, ManualClock
from orchestrator.adapters.nvml import inventory
from orchestrator.adapters.nvml.inventory import NvmlInventory
from orchestrator.adapters.wake_up import ThreadWakeUp
from orchestrator.domain.resources import DeviceMemory
from tests.waiting import eventually


def test_clocks_speak_utc():
    assert SystemClock().now().tzinfo is UTC
    assert ManualClock().now().tzinfo is UTC


def test_a_manual_clock_moves_when_told():
    clock = ManualClock()
    before = clock.now()

    clock.advance(1.5)

    assert (clock.now() - before).total_seconds() == 1.5


def test_a_notification_between_two_waits_is_not_lost():
    wake_up = ThreadWakeUp()
    wake_up.notify()
    wake_up.notify()
    began = time.monotonic()

    wake_up.wait(30)

    assert time.monotonic() - began < 10


def test_a_notification_wakes_who_waits():
    wake_up = ThreadWakeUp()
    waiter = threading.Thread(target=wake_up.wait, args=(30,))
    waiter.start()

    wake_up.notify()

    waiter.join(timeout=10)
    assert not waiter.is_alive()


def test_a_wait_without_a_notification_ends_by_itself():
    wake_up = ThreadWakeUp()
    wake_up.notify()
    wake_up.wait(30)
    began = time.monotonic()

    wake_up.wait(0.05)

    assert time.monotonic() - began >= 0.04


def test_named_devices_stay_as_they_are_named():
    assert FixedInventory(["GPU-b", "GPU-a"]).devices() == ("GPU-b", "GPU-a")


@pytest.fixture
def driver(monkeypatch):
    """`driver(uuids)`: what the machine's NVIDIA driver answers; None for one that does not."""
    pynvml = pytest.importorskip("pynvml")

    def install(uuids):
        def init():
            if uuids is None:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)

        monkeypatch.setattr(pynvml, "nvmlInit", init)
        monkeypatch.setattr(pynvml, "nvmlShutdown", lambda: None)
        monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: len(uuids))
        monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: uuids[index])
        monkeypatch.setattr(pynvml, "nvmlDeviceGetUUID", lambda handle: handle)
        info = SimpleNamespace(total=80, free=70)
        monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda handle: info)

    return install


def test_a_machine_with_gpus_offers_them_by_uuid(driver):
    driver(["GPU-a", "GPU-b"])

    assert NvmlInventory(cpu_slots=2).devices() == ("GPU-a", "GPU-b")


def test_a_machine_without_gpus_offers_cpu_slots(driver):
    driver([])

    assert NvmlInventory(cpu_slots=2).devices() == ("cpu-0", "cpu-1")


def test_a_driver_that_does_not_answer_offers_nothing_until_it_does(driver):
    devices = NvmlInventory(cpu_slots=2)
    driver(None)
    assert devices.devices() == ()

    driver(["GPU-a"])
    assert devices.devices() == ("GPU-a",)


def test_gpus_once_seen_stay_when_the_driver_fails(driver):
    driver(["GPU-a"])
    devices = NvmlInventory(cpu_slots=2)
    devices.devices()

    driver(None)

    assert devices.devices() == ("GPU-a",)


def test_memory_is_told_of_named_devices_alone():
    memory = {"GPU-a": DeviceMemory(80, 70), "GPU-b": DeviceMemory(80, 1)}
    assert FixedInventory(["GPU-a"], measure=lambda: memory).memory() == {"GPU-a": DeviceMemory(80, 70)}
    assert FixedInventory(["cpu-0"]).memory() == {}


def test_memory_is_read_beside_and_what_was_read_last_stands_when_the_driver_fails():
    readings = [{"GPU-a": DeviceMemory(80, 70)}, None]
    gauge = inventory.MemoryGauge(lambda: readings.pop(0) if readings else None)

    assert eventually(gauge.read) == {"GPU-a": DeviceMemory(80, 70)}
    eventually(lambda: gauge.read() and not readings)
    assert gauge.read() == {"GPU-a": DeviceMemory(80, 70)}


def test_a_driver_that_hangs_holds_up_nobody():
    release = threading.Event()
    gauge = inventory.MemoryGauge(lambda: release.wait(30) and None)
    assert [gauge.read() for _ in range(3)] == [{}, {}, {}]
    release.set()


def test_a_gpus_memory_is_told_by_its_uuid(driver):
    driver(["GPU-a"])
    assert inventory.gpu_memory() == {"GPU-a": DeviceMemory(total_bytes=80, free_bytes=70)}
    driver(None)
    assert inventory.gpu_memory() is None


@pytest.mark.gpu
def test_a_real_gpu_has_a_uuid():
    uuids = inventory.gpu_uuids()

    if not uuids:
        pytest.skip("no NVIDIA GPU here")
    assert all(uuid.startswith("GPU-") for uuid in uuids)


def test_the_disk_is_that_of_the_first_folder_there_is_and_full_without_any(tmp_path: Path) -> None:
    free_bytes = shutil.disk_usage(tmp_path).free
    assert FilesystemDisk(tmp_path / "missing", tmp_path).free_bytes() == pytest.approx(free_bytes, rel=0.1)
    assert FilesystemDisk(tmp_path / "missing").free_bytes() == 0
