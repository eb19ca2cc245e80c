"""What every ModelStore does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.model import CatalogueEntry
from orchestrator.ports.model_store import ModelStore
from tests.factories import make_model

ENTRIES = (make_model(), make_model(id="lorry/other"))
ENTRY = ENTRIES[0]


class ModelStoreContract:
    @pytest.fixture
    def store(self) -> ModelStore:
        """One whose catalogue is ENTRIES, with an empty cache."""
        raise NotImplementedError

    @pytest.fixture
    def build(self) -> Callable[[CatalogueEntry, str], None]:
        """`build(entry, staging)`: a container leaves the model in the staging folder."""
        raise NotImplementedError

    @pytest.fixture
    def build_nothing(self) -> Callable[[], None]:
        """The container leaves nothing."""
        raise NotImplementedError

    def test_the_catalogue_keeps_its_order(self, store):
        assert tuple(store.catalogue()) == ENTRIES

    def test_a_model_is_ready_once_it_is_published(self, store, build):
        assert not store.is_ready(ENTRY)
        staging = store.begin(ENTRY)
        build(ENTRY, staging)
        assert not store.is_ready(ENTRY)

        store.publish(ENTRY, staging)

        assert store.is_ready(ENTRY)
        assert not store.is_ready(ENTRIES[1])

    def test_each_staging_folder_is_fresh_and_inside_the_cache(self, store):
        first, second = store.begin(ENTRY), store.begin(ENTRY)

        assert first != second
        assert first.startswith(store.cache_path() + "/")

    def test_publishing_again_changes_nothing(self, store, build):
        for _ in range(2):
            staging = store.begin(ENTRY)
            build(ENTRY, staging)
            store.publish(ENTRY, staging)

        assert store.is_ready(ENTRY)

    def test_publishing_what_was_never_built_is_refused(self, store, build_nothing):
        staging = store.begin(ENTRY)
        build_nothing()

        with pytest.raises(LaunchRefused) as refusal:
            store.publish(ENTRY, staging)

        assert refusal.value.reason is EndReason.BASE_MODEL_UNAVAILABLE
        assert not store.is_ready(ENTRY)

    def test_a_staging_folder_is_discarded_as_often_as_one_likes(self, store):
        staging = store.begin(ENTRY)

        store.discard(staging)
        store.discard(staging)

        assert not store.is_ready(ENTRY)
