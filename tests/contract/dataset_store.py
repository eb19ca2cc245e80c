"""What every DatasetStore does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.identity import Identity
from orchestrator.ports.dataset_store import DatasetStore
from tests.factories import NOW, make_dataset, make_item

OWNER, OTHER, ADMIN = Identity("user-1"), Identity("user-2"), Identity("root", is_admin=True)


class DatasetStoreContract:
    @pytest.fixture
    def store(self) -> DatasetStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.fixture
    def dataset(self, store):
        dataset = make_dataset()
        store.add(dataset, [make_item(dataset.id)])
        return dataset

    @pytest.mark.parametrize("identity", [OWNER, ADMIN])
    def test_its_owner_and_admins_read_a_dataset(self, store, dataset, identity):
        assert store.get(dataset.id, identity) == dataset

    def test_another_users_dataset_is_refused(self, store, dataset):
        with pytest.raises(Refused) as refused:
            store.get(dataset.id, OTHER)
        assert refused.value.code == "DATASET_FORBIDDEN"

    def test_an_unknown_dataset_is_not_found(self, store):
        with pytest.raises(NotFound):
            store.get("nothing", ADMIN)

    def test_items_come_in_order_of_their_file_names(self, store):
        dataset = make_dataset()
        second = make_item(dataset.id, file_name="00002.png", caption=None)
        first = make_item(dataset.id, file_name="00001.png", caption="\u732b\nsecond line")
        store.add(dataset, [second, first])

        assert list(store.items(dataset.id)) == [first, second]

    def test_a_list_holds_a_users_own_datasets_newest_first_page_by_page(self, store):
        owned = [make_dataset(created_at=NOW + timedelta(seconds=age)) for age in range(3)]
        for dataset in [*owned, make_dataset(user_id="user-2")]:
            store.add(dataset, [])

        first = store.list("user-1", page=1, page_size=2)

        assert (list(first.datasets), first.total) == ([owned[2], owned[1]], 3)
        assert list(store.list("user-1", page=2, page_size=2).datasets) == [owned[0]]
        assert store.list("nobody").total == 0

    def test_a_removed_dataset_is_gone_with_its_items(self, store, dataset):
        store.remove(dataset.id)

        with pytest.raises(NotFound):
            store.get(dataset.id, OWNER)
        assert list(store.items(dataset.id)) == []
        store.remove(dataset.id)
