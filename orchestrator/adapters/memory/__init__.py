"""Twins of the real adapters that live in memory: for tests, and held to the same contract suites."""

from orchestrator.adapters.memory.artifact_store import MemoryArtifactStore
from orchestrator.adapters.memory.clock import ManualClock
from orchestrator.adapters.memory.container_runtime import MemoryContainerRuntime, Program
from orchestrator.adapters.memory.datasets import MemoryDatasetFiles, MemoryDatasetStore, MemoryVersionStore
from orchestrator.adapters.memory.disk import MemoryDisk
from orchestrator.adapters.memory.inventory import FixedInventory
from orchestrator.adapters.memory.leadership import MemoryLeadership, Seat
from orchestrator.adapters.memory.model_files import MemoryModelFiles
from orchestrator.adapters.memory.model_hub import MemoryModelHub
from orchestrator.adapters.memory.model_store import MemoryModelStore
from orchestrator.adapters.memory.object_store import MemoryObjectStore
from orchestrator.adapters.memory.presets import MemoryPresetStore
from orchestrator.adapters.memory.steps import InlineSteps
from orchestrator.adapters.memory.thumbnails import MemoryThumbnails
from orchestrator.adapters.memory.workspace import MemoryWorkspace

__all__ = [
    "FixedInventory",
    "InlineSteps",
    "ManualClock",
    "MemoryArtifactStore",
    "MemoryContainerRuntime",
    "MemoryDatasetFiles",
    "MemoryDatasetStore",
    "MemoryDisk",
    "MemoryLeadership",
    "MemoryModelFiles",
    "MemoryModelHub",
    "MemoryModelStore",
    "MemoryObjectStore",
    "MemoryPresetStore",
    "MemoryThumbnails",
    "MemoryVersionStore",
    "MemoryWorkspace",
    "Program",
    "Seat",
]
