"""What is fetched from Storage, signed for, and removed from it."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from orchestrator.adapters.memory import ManualClock
from orchestrator.adapters.sql import SqlDatasetCopyStore, SqlDatasetStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.upload_store import UPLOAD_TIME
from orchestrator.adapters.supabase import Bucket
from orchestrator.domain.errors import NotFound, Rejected, StoreUnavailable
from orchestrator.ports.object_store import MOST_KEYS
from orchestrator.services.uploads import Removal
from tests.factories import NOW, make_dataset
from tests.integration.supabase.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseServer

KEY = "user/dataset/a cat & dog.png"
DATA = os.urandom(300_000)
IN_BUCKET = ("datasets", KEY)


@pytest.fixture
def bucket(supabase: SupabaseServer) -> Iterator[Bucket]:
    bucket = Bucket(supabase.url, SECRET_KEY, "datasets")
    supabase.storage.objects[IN_BUCKET] = DATA
    yield bucket
    bucket.close()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "part"


def test_an_object_is_fetched_whole(bucket: Bucket, part: Path) -> None:
    bucket.fetch(KEY, str(part), size_bytes=len(DATA))
    assert part.read_bytes() == DATA


def test_a_fetch_goes_on_where_the_file_ends(bucket: Bucket, supabase: SupabaseServer, part: Path) -> None:
    part.write_bytes(DATA[:1000])
    bucket.fetch(KEY, str(part), size_bytes=len(DATA))
    assert part.read_bytes() == DATA
    assert supabase.storage.ranges == [1000]


def test_what_is_here_already_is_not_fetched_again(bucket: Bucket, supabase: SupabaseServer, part: Path) -> None:
    part.write_bytes(DATA)
    bucket.fetch(KEY, str(part), size_bytes=len(DATA))
    assert not supabase.storage.ranges


def test_a_connection_that_breaks_is_made_anew(bucket: Bucket, supabase: SupabaseServer, part: Path) -> None:
    supabase.storage.cuts = 3
    bucket.fetch(KEY, str(part), size_bytes=len(DATA))
    assert part.read_bytes() == DATA
    assert supabase.storage.ranges == sorted(supabase.storage.ranges)
    assert len(set(supabase.storage.ranges)) == 4


def test_one_that_breaks_every_time_is_given_up_and_what_came_is_kept(
    bucket: Bucket, supabase: SupabaseServer, part: Path
) -> None:
    supabase.storage.cuts = 100
    with pytest.raises(StoreUnavailable):
        bucket.fetch(KEY, str(part), size_bytes=len(DATA))
    assert DATA.startswith(part.read_bytes())
    assert part.stat().st_size > len(DATA) / 2


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1])
def test_an_object_of_another_size_is_refused(bucket: Bucket, part: Path, size: int) -> None:
    with pytest.raises(Rejected) as rejection:
        bucket.fetch(KEY, str(part), size_bytes=size)
    assert rejection.value.code == "OBJECT_CHANGED"
    assert part.stat().st_size == 0


def test_an_object_that_is_gone_is_told_from_a_bucket_that_is_missing_or_closed(
    bucket: Bucket, supabase: SupabaseServer, part: Path
) -> None:
    with pytest.raises(NotFound):
        bucket.fetch("user/dataset/none.png", str(part), size_bytes=1)
    stranger = Bucket(supabase.url, PUBLISHABLE_KEY, "datasets")
    with pytest.raises(StoreUnavailable, match="secret key"):
        stranger.fetch(KEY, str(part), size_bytes=1)
    stranger.close()
    supabase.storage.buckets.clear()
    with pytest.raises(StoreUnavailable, match="Bucket not found: datasets"):
        bucket.fetch(KEY, str(part), size_bytes=1)


def test_storage_that_is_away_is_worth_another_try(bucket: Bucket, supabase: SupabaseServer, part: Path) -> None:
    supabase.broken.add("/storage")
    for attempt in (
        lambda: bucket.fetch(KEY, str(part), size_bytes=1),
        lambda: bucket.signed_url(KEY, name="a.png", seconds=60),
        lambda: bucket.remove([KEY]),
    ):
        with pytest.raises(StoreUnavailable):
            attempt()


def test_a_signed_address_gives_the_bytes_to_whoever_has_it_until_it_expires(bucket: Bucket) -> None:
    answer = httpx.get(bucket.signed_url(KEY, name="cat.png", seconds=60))
    assert answer.content == DATA
    assert "cat.png" in answer.headers["Content-Disposition"]
    late = httpx.get(bucket.signed_url(KEY, name="cat.png", seconds=-1))
    assert late.status_code == 400
    with pytest.raises(NotFound):
        bucket.signed_url("user/none", name="cat.png", seconds=60)


class TestRemoval:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def copies(self, migrated: Database) -> SqlDatasetCopyStore:
        return SqlDatasetCopyStore(migrated)

    @pytest.fixture
    def removal(self, copies: SqlDatasetCopyStore, bucket: Bucket, clock: ManualClock) -> Removal:
        return Removal(copies=copies, objects=bucket, clock=clock)

    def test_a_dataset_that_was_deleted_or_never_came_to_be_is_removed_from_storage(
        self, removal: Removal, copies: SqlDatasetCopyStore, supabase: SupabaseServer, clock: ManualClock
    ) -> None:
        copies.begin(str(uuid.uuid4()), [KEY], at=clock.now())
        removal.remove_left_over(threading.Event())
        assert IN_BUCKET in supabase.storage.objects, "it may still be on its way"
        clock.advance(UPLOAD_TIME.total_seconds() + 1)
        removal.remove_left_over(threading.Event())
        assert IN_BUCKET not in supabase.storage.objects
        asked = supabase.asked.total()
        removal.remove_left_over(threading.Event())
        assert supabase.asked.total() == asked

    def test_a_dataset_that_is_there_stays(
        self, removal: Removal, copies: SqlDatasetCopyStore, migrated: Database, supabase: SupabaseServer
    ) -> None:
        dataset = make_dataset()
        SqlDatasetStore(migrated).add(dataset, [])
        copies.begin(dataset.id, [KEY], at=NOW - timedelta(days=1))
        removal.remove_left_over(threading.Event())
        assert IN_BUCKET in supabase.storage.objects

    def test_an_outage_puts_a_removal_off_and_forgets_none(
        self, removal: Removal, copies: SqlDatasetCopyStore, supabase: SupabaseServer, clock: ManualClock
    ) -> None:
        copies.begin(str(uuid.uuid4()), [KEY], at=clock.now() - timedelta(days=1))
        supabase.broken.add("/storage")
        with pytest.raises(StoreUnavailable):
            removal.remove_left_over(threading.Event())
        supabase.broken.clear()
        removal.remove_left_over(threading.Event())
        assert IN_BUCKET not in supabase.storage.objects

    def test_thousands_of_pictures_are_removed_in_as_many_requests_as_storage_wants(
        self, removal: Removal, copies: SqlDatasetCopyStore, supabase: SupabaseServer, clock: ManualClock
    ) -> None:
        keys = [f"user/dataset/{number}.png" for number in range(2 * MOST_KEYS + 1)]
        supabase.storage.objects.update({("datasets", key): b"x" for key in keys})
        copies.begin(str(uuid.uuid4()), keys, at=clock.now() - timedelta(days=1))
        removal.remove_left_over(threading.Event())
        assert list(supabase.storage.objects) == [IN_BUCKET]
        assert supabase.asked["/storage/v1/object/datasets"] == 3

    def test_a_copy_that_was_begun_again_is_one(self, copies: SqlDatasetCopyStore) -> None:
        dataset_id = str(uuid.uuid4())
        copies.begin(dataset_id, ["a"], at=NOW)
        copies.begin(dataset_id, ["a", "b"], at=NOW)
        [left] = copies.left_over(now=NOW + timedelta(days=1), limit=10)
        assert left.object_keys == ("a", "b")
