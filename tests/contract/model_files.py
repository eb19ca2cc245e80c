"""What every ModelFiles does, beside the ModelStore of the same cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from orchestrator.domain.model import INDEX, CatalogueEntry, ModelFile, ModelSnapshot, ModelSource
from orchestrator.ports.model_files import FetchedModel, ModelFiles
from orchestrator.ports.model_store import ModelStore
from tests.factories import NOW, make_model

COMMIT, NEXT_COMMIT = "a" * 40, "b" * 40
ENTRY = make_model(id="org/model", source=ModelSource.HUGGINGFACE, revision="main")
OTHER = make_model(id="org/other", source=ModelSource.HUGGINGFACE, revision="main")
CONTENT = {INDEX: b"{}", "unet/model.safetensors": b"weights"}


def snapshot_of(content: dict[str, bytes], revision: str = COMMIT) -> ModelSnapshot:
    files = (
        ModelFile(path=path, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in content.items()
    )
    return ModelSnapshot(revision, tuple(files))


class ModelFilesContract:
    @pytest.fixture
    def files(self) -> ModelFiles:
        """Of an empty cache."""
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> ModelStore:
        """Over the same cache; ENTRY is in its catalogue."""
        raise NotImplementedError

    @pytest.fixture
    def arrive(self) -> Callable[[str], None]:
        """`arrive(staging)`: CONTENT is there."""
        raise NotImplementedError

    @pytest.fixture
    def damage(self) -> Callable[[CatalogueEntry, str], None]:
        """`damage(entry, path)`: a file in place changes."""
        raise NotImplementedError

    @pytest.fixture
    def installed(self, files, arrive) -> None:
        arrive(files.staging(ENTRY, revision=COMMIT))
        files.install(ENTRY, snapshot_of(CONTENT), at=NOW)

    def test_a_model_is_ready_once_it_is_installed(self, files, store, arrive):
        arrive(files.staging(ENTRY, revision=COMMIT))
        assert not store.is_ready(ENTRY)
        assert files.fetched(ENTRY) is None

        files.install(ENTRY, snapshot_of(CONTENT), at=NOW)

        assert store.is_ready(ENTRY)
        assert files.fetched(ENTRY) == FetchedModel(revision=COMMIT, size_bytes=9, fetched_at=NOW)

    def test_a_newer_revision_takes_the_place_of_the_last(self, files, arrive, installed):
        arrive(files.staging(ENTRY, revision=NEXT_COMMIT))
        files.install(ENTRY, snapshot_of(CONTENT, NEXT_COMMIT), at=NOW)

        assert files.fetched(ENTRY).revision == NEXT_COMMIT

    def test_a_revision_has_the_same_staging_each_time_and_another_has_another(self, files):
        assert files.staging(ENTRY, revision=COMMIT) == files.staging(ENTRY, revision=COMMIT)
        assert files.staging(ENTRY, revision=COMMIT) != files.staging(ENTRY, revision=NEXT_COMMIT)

    def test_verifying_names_the_file_that_changed(self, files, installed, damage):
        assert not files.verify(ENTRY)
        damage(ENTRY, "unet/model.safetensors")

        assert [problem.split()[0] for problem in files.verify(ENTRY)] == ["unet/model.safetensors"]

    def test_what_was_never_fetched_cannot_be_verified(self, files):
        assert "put there by hand" in files.verify(ENTRY)[0]

    def test_what_the_catalogue_names_no_more_is_spare(self, files, installed):
        assert not files.spare([ENTRY], under_way=())
        assert [spare.name for spare in files.spare([OTHER], under_way=())] == [ENTRY.folder]

    def test_what_is_left_of_a_download_is_spare_unless_it_is_under_way(self, files):
        files.staging(ENTRY, revision=COMMIT)

        assert not files.spare([ENTRY], under_way={ENTRY.id})
        assert len(files.spare([ENTRY], under_way=())) == 1

    def test_what_is_removed_is_gone_and_may_be_removed_again(self, files, store, installed):
        for _ in range(2):
            files.remove(ENTRY.folder)

        assert not store.is_ready(ENTRY)
        assert files.fetched(ENTRY) is None
