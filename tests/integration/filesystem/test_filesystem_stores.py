"""The contracts on a real disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from orchestrator.adapters.filesystem.artifact_store import FilesystemArtifactStore
from orchestrator.adapters.filesystem.dataset_files import FilesystemDatasetFiles
from orchestrator.adapters.filesystem.model_store import FilesystemModelStore
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.thumbnails import FilesystemThumbnails
from orchestrator.adapters.filesystem.workspace import FilesystemWorkspace
from tests.contract.artifact_store import JOB as ARTIFACT_JOB
from tests.contract.artifact_store import ArtifactStoreContract
from tests.contract.dataset_files import LIMITS, DatasetFilesContract
from tests.contract.model_store import ENTRIES, ModelStoreContract
from tests.contract.thumbnail_store import JOB as THUMBNAIL_JOB
from tests.contract.thumbnail_store import ThumbnailStoreContract, sample
from tests.contract.workspace import JOB as WORKSPACE_JOB
from tests.contract.workspace import WorkspaceContract
from tests.factories import picture_bytes

OWNER = Owner(10001, 10001)


class TestFilesystemWorkspace(WorkspaceContract):
    @pytest.fixture
    def workspace(self, data_dir):
        return FilesystemWorkspace(data_dir, owner=OWNER, log_limit_bytes=200)

    @pytest.fixture
    def events(self, data_dir):
        return data_dir / "outputs" / WORKSPACE_JOB / "events.jsonl"

    @pytest.fixture
    def write_events(self, events):
        def write(data):
            with events.open("ab") as file:
                file.write(data)

        return write

    @pytest.fixture
    def spoil_events(self, events):
        return lambda: os.mkfifo(events)

    @pytest.fixture
    def folder(self, workspace):
        return lambda user: Path(workspace.prepare_cache(user, limit_bytes=1024**2))

    @pytest.fixture
    def fill_cache(self, folder):
        return lambda user, size: (folder(user) / f"{size}").write_bytes(bytes(size))

    @pytest.fixture
    def cache_bytes(self, folder):
        return lambda user: sum(path.stat().st_size for path in folder(user).iterdir())


class TestFilesystemThumbnails(ThumbnailStoreContract):
    @pytest.fixture
    def store(self, data_dir):
        return FilesystemThumbnails(data_dir)

    @pytest.fixture
    def keep(self, data_dir):
        def write(path, data):
            file = data_dir / "artifacts" / THUMBNAIL_JOB / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

        return write

    def test_nothing_half_made_is_left(self, store, keep, data_dir):
        keep("samples/broken.png", b"no picture")
        keep("samples/whole.png", picture_bytes())
        whole = sample("samples/whole.png")

        store.make([sample("samples/broken.png"), whole])

        left = [path.name for path in (data_dir / "artifacts" / THUMBNAIL_JOB / ".thumbnails").iterdir()]
        assert left == [f"{whole.id}.jpg"]

    def test_a_deleted_jobs_folder_does_not_come_back(self, store, data_dir):
        (data_dir / "artifacts").mkdir(exist_ok=True)
        store.make([sample()])

        assert list((data_dir / "artifacts").iterdir()) == []


class TestFilesystemArtifactStore(ArtifactStoreContract):
    @pytest.fixture
    def outputs(self, data_dir):
        return data_dir / "outputs" / ARTIFACT_JOB

    @pytest.fixture
    def store(self, data_dir):
        return FilesystemArtifactStore(data_dir)

    @pytest.fixture
    def leave(self, outputs):
        def write(path, data):
            file = outputs / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

        return write

    @pytest.fixture
    def leave_odd(self, outputs):
        return lambda path: (outputs / path).symlink_to("/etc/passwd")


class TestFilesystemDatasetFiles(DatasetFilesContract):
    @pytest.fixture
    def files(self, data_dir):
        return FilesystemDatasetFiles(data_dir, limits=LIMITS)

    @pytest.fixture
    def kept(self, data_dir):
        def read():
            return {folder.name: _files_in(folder) for folder in (data_dir / "datasets").iterdir()}

        return read


def _files_in(folder):
    """Bytes by path; previews are derived."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if not name.startswith("previews/")}


class TestFilesystemModelStore(ModelStoreContract):
    @pytest.fixture
    def store(self, data_dir):
        catalogue = data_dir / "models.yaml"
        keys = ("id", "family", "revision", "licence", "description")
        listed = [{key: getattr(e, key) for key in keys} | {"source": e.source.value} for e in ENTRIES]
        catalogue.write_text(yaml.safe_dump({"models": listed}))
        return FilesystemModelStore(data_dir, catalogue=catalogue, owner=OWNER)

    @pytest.fixture
    def build(self):
        def write(entry, staging):
            folder = Path(staging) / entry.folder
            folder.mkdir()
            (folder / "model_index.json").write_text("{}")

        return write

    @pytest.fixture
    def build_nothing(self):
        return lambda: None
