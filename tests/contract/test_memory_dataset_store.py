"""The dataset rows in memory are held to what the ones in a database do."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import MemoryDatasetStore, MemoryVersionStore
from tests.contract.dataset_store import DatasetStoreContract, VersionStoreContract


class TestMemoryDatasetStore(DatasetStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryDatasetStore()


class TestMemoryVersionStore(VersionStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryVersionStore()
