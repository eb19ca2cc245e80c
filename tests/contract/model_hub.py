"""What every ModelHub does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.domain.errors import HubRefused
from orchestrator.domain.model import CatalogueEntry, ModelSource
from orchestrator.ports.model_hub import ModelHub
from tests.factories import make_model

UNKNOWN = make_model(id="org/unknown", source=ModelSource.HUGGINGFACE, revision="main")


class _Enough(Exception):
    """Whoever listens to the progress wants no more."""


class ModelHubContract:
    @pytest.fixture
    def hub(self) -> ModelHub:
        raise NotImplementedError

    @pytest.fixture
    def entry(self) -> CatalogueEntry:
        """One that the hub has, by its branch."""
        raise NotImplementedError

    @pytest.fixture
    def fetch(self, hub: ModelHub, entry: CatalogueEntry, tmp_path) -> Callable[..., None]:
        """`fetch(note)`: every file of the entry."""

        def fetch_all(note: Callable[[int], None] = lambda _: None) -> None:
            snapshot = hub.look_up(entry, revision=entry.revision)
            for file in snapshot.files:
                hub.fetch(entry, file, revision=snapshot.revision, folder=str(tmp_path), note=note)

        return fetch_all

    def test_a_branch_is_a_commit_with_files_of_known_size(self, hub, entry):
        snapshot = hub.look_up(entry, revision=entry.revision)

        assert snapshot.revision != entry.revision
        assert snapshot.size_bytes > 0
        assert hub.look_up(entry, revision=snapshot.revision) == snapshot

    def test_a_model_that_the_hub_does_not_have_is_refused(self, hub):
        with pytest.raises(HubRefused, match=UNKNOWN.id):
            hub.look_up(UNKNOWN, revision=UNKNOWN.revision)

    def test_progress_ends_with_the_size_of_each_file(self, hub, entry, fetch):
        told: list[int] = []
        fetch(told.append)

        assert {file.size_bytes for file in hub.look_up(entry, revision=entry.revision).files} <= set(told)

    def test_who_listens_may_end_a_try_and_another_goes_on(self, fetch):
        def refuse(_: int) -> None:
            raise _Enough

        with pytest.raises(_Enough):
            fetch(refuse)
        fetch()
