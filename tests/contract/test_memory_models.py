"""The twins in memory of a hub and of fetched models."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import MemoryModelFiles, MemoryModelHub, MemoryModelStore
from tests.contract.model_files import CONTENT, ENTRY, ModelFilesContract, snapshot_of
from tests.contract.model_hub import ModelHubContract


class TestMemoryModelHub(ModelHubContract):
    @pytest.fixture
    def hub(self):
        hub = MemoryModelHub()
        hub.snapshots[ENTRY.id] = snapshot_of(CONTENT)
        return hub

    @pytest.fixture
    def entry(self):
        return ENTRY


class TestMemoryModelFiles(ModelFilesContract):
    @pytest.fixture
    def store(self):
        return MemoryModelStore([ENTRY])

    @pytest.fixture
    def files(self, store):
        return MemoryModelFiles(store)

    @pytest.fixture
    def arrive(self):
        return lambda _staging: None

    @pytest.fixture
    def damage(self, files):
        return lambda _entry, path: files.damaged.add(path)
