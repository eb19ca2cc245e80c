"""Uploads that are kept in an object store too."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.filesystem.dataset_files import FilesystemDatasetFiles
from orchestrator.adapters.memory import ManualClock, MemoryDisk, MemoryObjectStore, MemoryVersionStore
from orchestrator.adapters.sql import SqlDatasetCopyStore, SqlDatasetStore, SqlJobStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.domain.dataset import Dataset
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.identity import Identity
from orchestrator.services.dataset_copies import DatasetCopies
from orchestrator.services.datasets import Datasets
from tests.factories import picture_bytes, upload

OWNER = Identity(str(uuid.uuid4()))
PICTURES = {f"{name}.png": picture_bytes(20, size) for name, size in (("a", 10), ("b", 20), ("c", 30))}


@pytest.fixture
def objects() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
def copies(database: Database) -> SqlDatasetCopyStore:
    return SqlDatasetCopyStore(database)


@pytest.fixture
def datasets(database: Database, tmp_path: Path, objects: MemoryObjectStore, copies: SqlDatasetCopyStore) -> Datasets:
    files, clock = FilesystemDatasetFiles(tmp_path), ManualClock()
    return Datasets(
        store=SqlDatasetStore(database),
        versions=MemoryVersionStore(),
        files=files,
        jobs=SqlJobStore(database),
        clock=clock,
        disk=MemoryDisk(),
        min_free_bytes=0,
        copies=DatasetCopies(store=copies, files=files, objects=objects, clock=clock),
    )


def send(datasets: Datasets, owner: Identity = OWNER) -> Dataset:
    return datasets.upload(owner, "cats", upload(PICTURES))


def left_over(copies: SqlDatasetCopyStore) -> Any:
    return copies.left_over(now=ManualClock().now() + timedelta(days=1), limit=10)


def test_every_picture_lies_in_the_folder_of_its_owner_under_a_name_of_ours(
    datasets: Datasets, objects: MemoryObjectStore
) -> None:
    dataset = send(datasets)
    folder = f"{OWNER.user_id}/{dataset.id}"
    assert objects.objects == {
        f"{folder}/{number:05d}.png": data for number, data in enumerate(PICTURES.values(), start=1)
    }


def test_a_user_whom_only_lorry_knows_has_their_pictures_here_alone(
    datasets: Datasets, objects: MemoryObjectStore
) -> None:
    send(datasets, Identity("alice"))
    assert objects.objects == {}


def test_while_storage_is_away_nothing_is_kept_and_nothing_is_claimed(
    datasets: Datasets, objects: MemoryObjectStore, tmp_path: Path
) -> None:
    objects.is_away = True
    with pytest.raises(StoreUnavailable):
        send(datasets)
    assert datasets.list(OWNER, page=1, page_size=10).total == 0
    assert list((tmp_path / "datasets").iterdir()) == []


def test_what_is_added_lies_beside_the_rest_and_is_known_when_the_dataset_goes(
    datasets: Datasets, objects: MemoryObjectStore, copies: SqlDatasetCopyStore
) -> None:
    dataset = send(datasets)
    _, [sent] = datasets.add_items(OWNER, dataset.id, upload({"d.png": picture_bytes(20, 40)}))
    assert f"{OWNER.user_id}/{dataset.id}/{sent.item.file_name}" in objects.objects
    datasets.delete(OWNER, dataset.id)
    [left] = left_over(copies)
    assert (len(left.object_keys), set(left.object_keys)) == (4, set(objects.objects))


def test_while_storage_is_away_nothing_is_added(datasets: Datasets, objects: MemoryObjectStore, tmp_path: Path) -> None:
    dataset = send(datasets)
    before = sorted(tmp_path.rglob("*"))
    objects.is_away = True
    with pytest.raises(StoreUnavailable):
        datasets.add_items(OWNER, dataset.id, upload({"d.png": picture_bytes(20, 40)}))
    assert (datasets.get(OWNER, dataset.id), sorted(tmp_path.rglob("*"))) == (dataset, before)


def test_what_was_copied_of_an_upload_that_failed_is_known_and_so_is_what_a_deletion_leaves(
    datasets: Datasets, objects: MemoryObjectStore, copies: SqlDatasetCopyStore
) -> None:
    dataset = send(datasets)
    assert left_over(copies) == []
    datasets.delete(OWNER, dataset.id)
    [left] = left_over(copies)
    assert set(left.object_keys) == set(objects.objects)
