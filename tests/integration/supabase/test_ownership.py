"""Whose datasets are whose, asked of the project's own policies under the caller's token."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestrator.adapters.sql import SqlDatasetStore, connect, migrate
from orchestrator.adapters.supabase import Project, SupabaseDatasetStore
from orchestrator.domain.errors import NotFound, Refused, StoreUnavailable, Unauthenticated
from orchestrator.domain.identity import Identity
from orchestrator.ports.dataset_store import DatasetStore
from tests.contract.dataset_store import DatasetStoreContract
from tests.factories import make_dataset, make_item
from tests.integration.supabase.conftest import Install, Installation, bearing, sign_up
from tests.integration.supabase.server import PUBLISHABLE_KEY, SupabaseServer

DATASETS = "/rest/v1/datasets"


@pytest.fixture
def rows(project_url: str) -> Iterator[SqlDatasetStore]:
    database = connect(project_url)
    migrate(database)
    with psycopg.connect(project_url) as connection:
        connection.execute("TRUNCATE datasets CASCADE")
    yield SqlDatasetStore(database)
    database.close()


@pytest.fixture
def store(supabase: SupabaseServer, rows: SqlDatasetStore) -> Iterator[SupabaseDatasetStore]:
    project = Project(supabase.url, PUBLISHABLE_KEY)
    yield SupabaseDatasetStore(project, rows)
    project.close()


@pytest.fixture
def owner(supabase: SupabaseServer) -> Identity:
    return caller(supabase, sign_up(supabase))


def caller(supabase: SupabaseServer, user_id: str, *, is_admin: bool = False, **claims: Any) -> Identity:
    return Identity(user_id, is_admin=is_admin, access_token=supabase.signer.mint(user_id, **claims))


class TestSupabaseDatasetStore(DatasetStoreContract):
    """For callers whom only Lorry knows; the tests below are about those with a token of the project."""

    @pytest.fixture
    def store(self, supabase: SupabaseServer, rows: SqlDatasetStore) -> Iterator[DatasetStore]:
        project = Project(supabase.url, PUBLISHABLE_KEY)
        yield SupabaseDatasetStore(project, rows)
        project.close()


def test_its_owner_reads_a_dataset_under_the_policies_of_the_project(
    store: SupabaseDatasetStore, supabase: SupabaseServer, owner: Identity
) -> None:
    dataset = make_dataset(user_id=owner.user_id, name="\u06af\u0631\u0628\u0647 \u732b")
    store.add(dataset, [make_item(dataset.id)])
    assert store.get(dataset.id, owner) == dataset
    assert supabase.asked == {DATASETS: 1}


def test_anothers_dataset_and_none_are_told_apart(
    store: SupabaseDatasetStore, supabase: SupabaseServer, owner: Identity
) -> None:
    dataset = make_dataset(user_id=str(uuid.uuid4()))
    store.add(dataset, [])
    with pytest.raises(Refused) as refused:
        store.get(dataset.id, owner)
    assert refused.value.code == "DATASET_FORBIDDEN"
    with pytest.raises(NotFound):
        store.get(str(uuid.uuid4()), owner)
    assert store.get(dataset.id, caller(supabase, owner.user_id, is_admin=True)) == dataset


def test_a_policy_that_hides_a_dataset_from_its_owner_is_obeyed(
    store: SupabaseDatasetStore, owner: Identity, project_url: str
) -> None:
    dataset = make_dataset(user_id=owner.user_id, name="withdrawn")
    store.add(dataset, [])
    with psycopg.connect(project_url, autocommit=True) as database:
        database.execute(
            "CREATE POLICY hidden ON datasets AS RESTRICTIVE FOR SELECT TO authenticated USING (name <> 'withdrawn')"
        )
        try:
            with pytest.raises(Refused):
                store.get(dataset.id, owner)
        finally:
            database.execute("DROP POLICY hidden ON datasets")


def test_a_policy_that_shares_a_dataset_is_obeyed_too(
    store: SupabaseDatasetStore, owner: Identity, project_url: str
) -> None:
    dataset = make_dataset(user_id=str(uuid.uuid4()), name="shared")
    store.add(dataset, [])
    with psycopg.connect(project_url, autocommit=True) as database:
        database.execute("CREATE POLICY shared ON datasets FOR SELECT TO authenticated USING (name = 'shared')")
        try:
            assert store.get(dataset.id, owner) == dataset
        finally:
            database.execute("DROP POLICY shared ON datasets")


def test_a_caller_whom_only_lorry_knows_costs_supabase_nothing(
    store: SupabaseDatasetStore, supabase: SupabaseServer
) -> None:
    dataset = make_dataset(user_id="alice")
    store.add(dataset, [])
    assert store.get(dataset.id, Identity("alice")) == dataset
    with pytest.raises(Refused):
        store.get(dataset.id, Identity("bob"))
    assert not supabase.asked


def test_users_of_one_connection_are_never_taken_for_one_another(
    store: SupabaseDatasetStore, supabase: SupabaseServer
) -> None:
    users = [caller(supabase, str(uuid.uuid4())) for _ in range(5)]
    datasets = [make_dataset(user_id=user.user_id) for user in users]
    for dataset in datasets:
        store.add(dataset, [])
    for user in users:
        for dataset in datasets:
            if dataset.user_id == user.user_id:
                assert store.get(dataset.id, user) == dataset
            else:
                with pytest.raises(Refused):
                    store.get(dataset.id, user)


@pytest.mark.parametrize("prefix", ["/rest", "/"])
def test_an_outage_is_the_stores_not_the_callers(
    store: SupabaseDatasetStore, supabase: SupabaseServer, owner: Identity, prefix: str
) -> None:
    supabase.broken.add(prefix)
    with pytest.raises(StoreUnavailable):
        store.get(str(uuid.uuid4()), owner)
    assert supabase.asked[DATASETS] == 1  # nobody waits while it is tried again


def test_a_project_that_hangs_is_given_up_soon(
    supabase: SupabaseServer, rows: SqlDatasetStore, owner: Identity
) -> None:
    project = Project(supabase.url, PUBLISHABLE_KEY, timeout_seconds=0.2)
    supabase.held.add("/rest")
    with pytest.raises(StoreUnavailable):
        SupabaseDatasetStore(project, rows).get(str(uuid.uuid4()), owner)
    project.close()


def test_a_token_that_the_data_api_refuses_is_the_callers_affair(
    store: SupabaseDatasetStore, supabase: SupabaseServer, owner: Identity
) -> None:
    expired = caller(supabase, owner.user_id, exp=1_700_000_000)
    with pytest.raises(Unauthenticated):
        store.get(str(uuid.uuid4()), expired)


def test_missing_grants_are_not_the_callers_fault(
    store: SupabaseDatasetStore, owner: Identity, project_url: str
) -> None:
    with psycopg.connect(project_url, autocommit=True) as database:
        database.execute("REVOKE SELECT ON datasets FROM authenticated")
        try:
            with pytest.raises(StoreUnavailable, match="42501"):
                store.get(str(uuid.uuid4()), owner)
        finally:
            database.execute("GRANT SELECT ON datasets TO authenticated")


def test_a_job_needs_a_dataset_that_the_policies_show_to_its_owner(
    lorry: Installation, supabase: SupabaseServer, rows: SqlDatasetStore, user: str
) -> None:
    mine, others = make_dataset(user_id=user, item_count=10), make_dataset(user_id=str(uuid.uuid4()))
    for dataset in (mine, others):
        rows.add(dataset, [make_item(dataset.id)])

    def submit(dataset_id: str) -> Any:
        body = {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}, "dataset_id": dataset_id}
        headers = bearing(supabase.signer.mint(user)) | {"Prefer": "respond-async"}
        return lorry.client.post("/api/training/submit", json=body, headers=headers)

    assert submit(others.id).status_code == 403
    assert submit(str(uuid.uuid4())).status_code == 404
    assert submit(mine.id).status_code in (200, 202)
    supabase.broken.add("/rest")
    assert submit(mine.id).status_code == 503


def test_over_sqlite_users_of_the_project_keep_their_datasets_with_lorry(
    install: Install, supabase: SupabaseServer, user: str, tmp_path: Path
) -> None:
    lorry = install(database_url=f"sqlite:///{tmp_path / 'lorry.db'}")
    assert lorry.get(f"/api/datasets/{uuid.uuid4()}", supabase.signer.mint(user)).status_code == 404
    assert not supabase.asked[DATASETS]


def test_a_users_token_is_in_no_text_of_the_identity() -> None:
    assert "secret" not in repr(Identity("alice", access_token="secret"))
