"""Models on disk: what a container staged is sealed, and the shipped catalogue is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.adapters.filesystem.model_store import FilesystemModelStore
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.domain.model import ModelSource

SHIPPED = Path(__file__).parents[3] / "configs" / "models.yaml"
OWNER = Owner(10001, 10001)


@pytest.fixture
def store(data_dir):
    return FilesystemModelStore(data_dir, catalogue=SHIPPED, owner=OWNER)


def test_the_shipped_catalogue_offers_the_built_in_models(store):
    entry = store.catalogue()[0]
    built_in = [entry.id for entry in store.catalogue() if entry.source is ModelSource.BUILTIN]

    assert [model_id.removeprefix("lorry/tiny-") for model_id in built_in] == [
        "sd15",
        "sdxl",
        "flux2-klein",
        "z-image",
    ]
    assert (entry.id, entry.family, entry.source) == ("lorry/tiny-sd15", "sd15", ModelSource.BUILTIN)
    assert (entry.revision, entry.licence, entry.folder) == ("builtin-1", "CC0-1.0", "lorry--tiny-sd15")


def test_staging_belongs_to_the_containers_user(store):
    found = Path(store.begin(store.catalogue()[0])).stat()

    assert found.st_uid == (OWNER.uid if os.geteuid() == 0 else os.geteuid())


def test_a_published_model_holds_regular_readable_files_of_ours_only(store):
    entry = store.catalogue()[0]
    staging = Path(store.begin(entry))
    folder = staging / entry.folder
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet" / "weights.safetensors").write_bytes(b"w")
    (folder / "unet" / "weights.bin").write_bytes(b"pickle")
    (folder / "config.json").symlink_to("/etc/passwd")
    os.chmod(folder / "model_index.json", 0o600)  # noqa: PTH101 - as the container left it

    store.publish(entry, str(staging))
    store.discard(str(staging))

    cache = Path(store.cache_path())
    assert sorted(path.name for path in cache.iterdir()) == [entry.folder]
    files = {str(path.relative_to(cache / entry.folder)): path for path in cache.rglob("*") if path.is_file()}
    assert set(files) == {"model_index.json", "unet/weights.safetensors"}
    assert {(path.stat().st_mode & 0o777, path.stat().st_uid) for path in files.values()} == {(0o644, os.geteuid())}
