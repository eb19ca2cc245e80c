"""One user of a project walks the whole OpenAPI document with another's ids."""

from __future__ import annotations

import pytest

from tests.integration.supabase.conftest import Installation, bearing, sign_up
from tests.integration.supabase.server import SupabaseServer
from tests.walk import User, Walk, give_things, require_another_is_hidden, require_not_listed


@pytest.fixture
def victim(lorry: Installation, supabase: SupabaseServer) -> User:
    return somebody(lorry, supabase, called="private")


@pytest.fixture
def walk(lorry: Installation, supabase: SupabaseServer) -> Walk:
    return Walk(lorry.client, somebody(lorry, supabase, called="own"))


def somebody(lorry: Installation, supabase: SupabaseServer, *, called: str) -> User:
    user_id = sign_up(supabase)
    headers = bearing(supabase.signer.mint(user_id))
    return give_things(lorry.client, lorry.lorry.database, user_id, headers, called=called)


def test_nothing_of_anothers_is_seen_downloaded_cancelled_or_inferred(
    lorry: Installation, walk: Walk, victim: User
) -> None:
    def job() -> dict[str, object]:
        answer = lorry.client.get(f"/api/training/jobs/{victim.things['job_id']}", headers=victim.headers)
        seen: dict[str, object] = answer.json()["data"]
        return seen

    before = job()
    assert before["status"] == "queued"
    assert require_another_is_hidden(walk, victim) >= 50
    assert job() == before


def test_no_list_and_no_search_shows_what_is_anothers(lorry: Installation, walk: Walk, victim: User) -> None:
    require_not_listed(walk, victim, called="private")
    answer = lorry.client.get("/api/training/jobs?q=private", headers=walk.walker.headers)
    assert answer.json()["total"] == 0


def test_a_submission_with_anothers_dataset_makes_and_shows_nothing(
    lorry: Installation, walk: Walk, victim: User
) -> None:
    def count() -> int:
        total: int = lorry.client.get("/api/training/jobs", headers=walk.walker.headers).json()["total"]
        return total

    body = {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}, "dataset_id": victim.things["dataset_id"]}
    before = count()
    for path in ("/api/training/submit", "/api/training/submit?dry_run=true", "/api/training/jobs"):
        answer = lorry.client.post(path, json=body, headers=walk.walker.headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "DATASET_FORBIDDEN")
    assert count() == before
