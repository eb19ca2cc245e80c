"""Fetched models on disk: in place at once or not at all, readable for containers, and what is nobody's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from orchestrator.adapters.filesystem.model_files import FilesystemModelFiles
from orchestrator.adapters.filesystem.model_store import FilesystemModelStore
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.domain.errors import PortError
from orchestrator.domain.model import INDEX
from tests.contract.model_files import COMMIT, CONTENT, ENTRY, NEXT_COMMIT, ModelFilesContract, snapshot_of
from tests.factories import NOW

WEIGHTS = "unet/model.safetensors"


def _store(data_dir: Path, **changes: str) -> FilesystemModelStore:
    catalogue = data_dir / "models.yaml"
    line = {"id": ENTRY.id, "family": "sd15", "source": "huggingface", "revision": "main", "licence": "MIT"} | changes
    catalogue.write_text(yaml.safe_dump({"models": [line]}))
    return FilesystemModelStore(data_dir, catalogue=catalogue, owner=Owner(10001, 10001))


@pytest.fixture
def files(data_dir):
    return FilesystemModelFiles(data_dir)


@pytest.fixture
def place(data_dir):
    return data_dir / "models" / ENTRY.folder


def _arrive(staging: str) -> None:
    for path, data in CONTENT.items():
        target = Path(staging, path)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)


@pytest.fixture
def installed(files):
    _arrive(files.staging(ENTRY, revision=COMMIT))
    files.install(ENTRY, snapshot_of(CONTENT), at=NOW)


class TestFilesystemModelFiles(ModelFilesContract):
    @pytest.fixture
    def files(self, data_dir):
        return FilesystemModelFiles(data_dir)

    @pytest.fixture
    def store(self, data_dir):
        return _store(data_dir)

    @pytest.fixture
    def arrive(self):
        return _arrive

    @pytest.fixture
    def damage(self, data_dir):
        return lambda entry, path: (data_dir / "models" / entry.folder / path).write_bytes(b"w3ights")


def test_containers_of_another_user_can_read_it_whatever_the_umask(files, place):
    before = os.umask(0o077)
    try:
        _arrive(files.staging(ENTRY, revision=COMMIT))
        files.install(ENTRY, snapshot_of(CONTENT), at=NOW)
    finally:
        os.umask(before)

    assert {path.stat().st_mode & 0o777 for path in place.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (place, place / "unet")} == {0o755}


def test_a_file_that_is_cut_or_gone_is_named(files, place, installed):
    (place / WEIGHTS).write_bytes(b"w")
    (place / INDEX).unlink()

    assert list(files.verify(ENTRY)) == [
        f"{INDEX} cannot be read: No such file or directory.",
        f"{WEIGHTS} has 1 bytes instead of 7.",
    ]


def test_another_revision_than_the_pin_is_not_ready_and_one_put_there_by_hand_is(data_dir, files, place, installed):
    pinned = _store(data_dir, revision=NEXT_COMMIT)
    entry = pinned.catalogue()[0]
    assert not pinned.is_ready(entry)
    files.remove(ENTRY.folder)

    place.mkdir()
    (place / INDEX).write_text("{}")

    assert pinned.is_ready(entry)
    assert pinned.revision(entry) == NEXT_COMMIT


def test_the_commit_that_was_fetched_is_what_the_branch_was(data_dir, installed):
    store = _store(data_dir)

    assert store.revision(store.catalogue()[0]) == COMMIT


def test_a_folder_that_somebody_put_there_is_never_spare(data_dir, files):
    (data_dir / "models" / "mine").mkdir(parents=True)
    (data_dir / "models" / "mine" / INDEX).write_text("{}")

    assert not files.spare([], under_way=())


def test_what_was_staged_counts_before_room_is_asked_for(files):
    assert files.staged_bytes(ENTRY, revision=COMMIT) == 0
    _arrive(files.staging(ENTRY, revision=COMMIT))

    assert files.staged_bytes(ENTRY, revision=COMMIT) > 0


def test_a_model_that_never_arrived_cannot_be_installed(files):
    with pytest.raises(PortError, match="could not be put into place"):
        files.install(ENTRY, snapshot_of(CONTENT), at=NOW)
