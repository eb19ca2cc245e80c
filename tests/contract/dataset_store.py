"""What every DatasetStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.dataset import Approval, captioned_count, content_digest, contents_of, version_of
from orchestrator.domain.errors import Conflict, NotFound, Refused
from orchestrator.domain.identity import Identity
from orchestrator.ports.dataset_store import DatasetStore, VersionStore
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

    def test_items_come_page_by_page(self, store):
        dataset = make_dataset()
        items = [make_item(dataset.id, file_name=f"0000{number}.png") for number in range(3)]
        store.add(dataset, items)

        second = store.item_page(dataset.id, page=2, page_size=2)

        assert (list(second.items), second.total) == ([items[2]], 3)
        assert store.item_page("nothing", page=1, page_size=2).total == 0

    def test_a_changed_item_changes_its_datasets_counts_and_hash(self, store, dataset):
        (item,) = store.items(dataset.id)
        changes = {
            "caption": None,
            "approval": Approval.REJECTED,
            "allowed_uses": ("training", "display"),
            "prohibited_uses": ("resale",),
        }

        changed = store.change_item(dataset.id, item.id, changes, at=NOW + timedelta(hours=1))

        assert changed == replace(item, **changes) == store.item(dataset.id, item.id)
        now = store.get(dataset.id, OWNER)
        assert (now.captioned_count, now.sha256) == (captioned_count([changed]), content_digest([changed]))
        assert (now.updated_at, now.created_at) == (NOW + timedelta(hours=1), NOW)

    def test_what_is_not_changed_stays(self, store, dataset):
        (item,) = store.items(dataset.id)
        store.change_item(dataset.id, item.id, {"prohibited_uses": ("training",)}, at=NOW)

        assert store.change_item(dataset.id, item.id, {}, at=NOW) == replace(item, prohibited_uses=("training",))

    def test_an_item_of_another_dataset_is_not_found(self, store, dataset):
        other = make_dataset()
        store.add(other, [item := make_item(other.id)])

        for dataset_id, item_id in ((dataset.id, item.id), (dataset.id, "nothing"), ("nothing", item.id)):
            for look in (
                lambda: store.item(dataset_id, item_id),  # noqa: B023 - called at once
                lambda: store.change_item(dataset_id, item_id, {"caption": "a"}, at=NOW),  # noqa: B023
            ):
                with pytest.raises(NotFound) as missing:
                    look()
                assert missing.value.code == "ITEM_NOT_FOUND"
        assert store.item(other.id, item.id) == item

    def test_added_items_change_their_datasets_counts_size_and_hash(self, store, dataset):
        more = [make_item(dataset.id, file_name=f"0000{number}-a.png", caption=None) for number in (2, 3)]

        changed = store.add_items(dataset.id, more, beside=1, at=NOW + timedelta(hours=1))

        items = list(store.items(dataset.id))
        assert items[1:] == more
        assert changed == replace(dataset, **contents_of(items), updated_at=NOW + timedelta(hours=1))
        assert store.get(dataset.id, OWNER) == changed

    def test_items_are_not_added_beside_others_than_those_that_were_looked_at(self, store, dataset):
        one, other = (make_item(dataset.id, file_name=f"00002-{name}.png") for name in "ab")
        store.add_items(dataset.id, [one], beside=1, at=NOW)

        with pytest.raises(Conflict) as conflict:
            store.add_items(dataset.id, [other], beside=1, at=NOW)

        assert conflict.value.code == "DATASET_CHANGED"
        assert list(store.items(dataset.id))[1:] == [one]

    def test_items_are_not_added_to_a_dataset_that_is_gone(self, store, dataset):
        store.remove(dataset.id)

        with pytest.raises(NotFound):
            store.add_items(dataset.id, [make_item(dataset.id)], beside=0, at=NOW)

    def test_what_was_measured_is_kept(self, store):
        dataset = make_dataset()
        store.add(dataset, [item := make_item(dataset.id, sharpness=12.5, dhash="00ff00ff00ff00ff")])

        assert list(store.items(dataset.id)) == [item]


class VersionStoreContract:
    @pytest.fixture
    def store(self) -> VersionStore:
        """An empty one."""
        raise NotImplementedError

    def test_a_version_is_read_as_it_was_added_first(self, store):
        items = [
            make_item("d", file_name="00001.png", caption="\u732b"),
            make_item("d", file_name="00002.png", caption=None),
        ]
        version = version_of("d", items, at=NOW)

        store.add(version)
        store.add(replace(version, created_at=NOW + timedelta(hours=1)))

        assert store.get("d", version.sha256) == version

    def test_a_version_is_known_in_its_own_dataset_alone(self, store):
        version = version_of("d", [make_item("d")], at=NOW)
        store.add(version)

        with pytest.raises(NotFound):
            store.get("another", version.sha256)
        with pytest.raises(NotFound):
            store.get("d", "0" * 64)

    def test_versions_go_with_their_dataset(self, store):
        version, other = version_of("d", [make_item("d")], at=NOW), version_of("e", [make_item("e")], at=NOW)
        for each in (version, other):
            store.add(each)

        store.remove("d")
        store.remove("d")

        with pytest.raises(NotFound):
            store.get("d", version.sha256)
        assert store.get("e", other.sha256) == other
