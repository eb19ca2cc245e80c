"""The stores in memory are held to what the ones on disk do."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import (
    MemoryArtifactStore,
    MemoryDatasetFiles,
    MemoryModelStore,
    MemoryThumbnails,
    MemoryWorkspace,
)
from tests.contract.artifact_store import JOB as ARTIFACT_JOB
from tests.contract.artifact_store import ArtifactStoreContract
from tests.contract.dataset_files import LIMITS, DatasetFilesContract
from tests.contract.model_store import ENTRIES, ModelStoreContract
from tests.contract.thumbnail_store import JOB as THUMBNAIL_JOB
from tests.contract.thumbnail_store import ThumbnailStoreContract
from tests.contract.workspace import JOB as WORKSPACE_JOB
from tests.contract.workspace import WorkspaceContract


class TestMemoryWorkspace(WorkspaceContract):
    @pytest.fixture
    def workspace(self):
        return MemoryWorkspace(log_limit_bytes=200)

    @pytest.fixture
    def write_events(self, workspace):
        return lambda data: workspace.write(WORKSPACE_JOB, "events.jsonl", data)

    @pytest.fixture
    def spoil_events(self, workspace):
        return lambda: workspace.write(WORKSPACE_JOB, "events.jsonl", None)

    @pytest.fixture
    def fill_cache(self, workspace):
        return lambda user, size: workspace.caches[user].update({f"{size}": bytes(size)})

    @pytest.fixture
    def cache_bytes(self, workspace):
        return lambda user: sum(map(len, workspace.caches[user].values()))


class TestMemoryArtifactStore(ArtifactStoreContract):
    @pytest.fixture
    def outputs(self):
        workspace = MemoryWorkspace()
        workspace.prepare(ARTIFACT_JOB, {})
        return workspace

    @pytest.fixture
    def store(self, outputs):
        return MemoryArtifactStore(outputs)

    @pytest.fixture
    def leave(self, outputs):
        return outputs.outputs[ARTIFACT_JOB].__setitem__

    @pytest.fixture
    def leave_odd(self, outputs):
        return lambda path: outputs.write(ARTIFACT_JOB, path, None)


class TestMemoryDatasetFiles(DatasetFilesContract):
    @pytest.fixture
    def files(self):
        return MemoryDatasetFiles(limits=LIMITS)

    @pytest.fixture
    def kept(self, files):
        def read():
            folders = files.files.items()
            return {
                name: {path: data for path, data in folder.items() if not path.startswith("previews/")}
                for name, folder in folders
            }

        return read


class TestMemoryModelStore(ModelStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryModelStore(ENTRIES)

    @pytest.fixture
    def build(self):
        return lambda entry, staging: None

    @pytest.fixture
    def build_nothing(self, store):
        def leave_empty():
            store.is_staging_empty = True

        return leave_empty


class TestMemoryThumbnails(ThumbnailStoreContract):
    @pytest.fixture
    def workspace(self):
        workspace = MemoryWorkspace()
        workspace.prepare(THUMBNAIL_JOB, {})
        return workspace

    @pytest.fixture
    def artifacts(self, workspace):
        return MemoryArtifactStore(workspace)

    @pytest.fixture
    def store(self, artifacts):
        return MemoryThumbnails(artifacts)

    @pytest.fixture
    def keep(self, workspace, artifacts):
        def collect(path, data):
            workspace.write(THUMBNAIL_JOB, path, data)
            artifacts.collect(THUMBNAIL_JOB)

        return collect
