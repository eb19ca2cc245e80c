"""Who is let in, and that nobody sees what is another's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.api.installation import ALICE, BOB, Installation
from tests.walk import User, Walk, give_things, require_another_is_hidden, require_not_listed

JOBS = "/api/training/jobs"
OPEN = {"/api/health", "/api/ready", "/api/metrics", "/api/auth/options"}
SIGN_IN = "/api/auth/sign-in"


def operations(lorry: Installation) -> list[tuple[str, str]]:
    """(method, path) of everything the OpenAPI document lists."""
    document: dict[str, Any] = lorry.client.get("/openapi.json").json()
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


def test_every_path_but_the_probes_asks_for_a_token(lorry: Installation) -> None:
    for method, path in operations(lorry):
        answer = lorry.client.request(method, path)
        if path in OPEN:
            assert answer.status_code in (200, 503)
        elif path == SIGN_IN:
            assert answer.status_code == 400
        else:
            assert answer.status_code == 401, path
            assert answer.json()["error"] == "UNAUTHENTICATED"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.fixture
def victim(lorry: Installation) -> User:
    return give_things(lorry.client, lorry.database, BOB, lorry.as_user(BOB), called="private")


@pytest.fixture
def walk(lorry: Installation) -> Walk:
    walker = give_things(lorry.client, lorry.database, ALICE, lorry.as_user(ALICE), called="own")
    return Walk(lorry.client, walker)


def test_nothing_of_anothers_is_seen_changed_or_inferred_on_any_path(
    lorry: Installation, walk: Walk, victim: User
) -> None:
    def seen_by_its_owner() -> str:
        named = (f"{JOBS}/{{job_id}}", "/api/datasets/{dataset_id}", "/api/experiments/{experiment_id}")
        paths = [*named, "/api/webhooks/{webhook_id}", "/api/models/registered/{name}"]
        answers = [lorry.client.get(path.format(**victim.things), headers=victim.headers) for path in paths]
        assert {answer.status_code for answer in answers} == {200}
        return str([answer.json()["data"] for answer in answers])

    before = seen_by_its_owner()
    assert require_another_is_hidden(walk, victim) >= 50
    assert seen_by_its_owner() == before


def test_nothing_of_anothers_is_listed(walk: Walk, victim: User) -> None:
    require_not_listed(walk, victim, called="private")


@pytest.mark.parametrize("job_id", ["x", "..", "%00", "1" * 500, "training-1"])
def test_an_id_that_is_none_is_an_unknown_one(lorry: Installation, job_id: str) -> None:
    answer = lorry.client.get(f"{JOBS}/{job_id}/metrics", headers=lorry.as_user())
    assert answer.status_code == 404


def test_an_id_may_be_written_in_capitals(lorry: Installation) -> None:
    job_id = lorry.submit()
    assert lorry.client.get(f"{JOBS}/{job_id.upper()}", headers=lorry.as_user()).json()["data"]["id"] == job_id


def test_an_admin_sees_any_job(lorry: Installation) -> None:
    job_id = lorry.submit(BOB)
    headers = {"Authorization": f"Bearer {lorry.tokens.issue('root', is_admin=True)}"}
    assert lorry.client.get(f"{JOBS}/{job_id}", headers=headers).status_code == 200


def test_an_expired_token_is_refused(lorry: Installation) -> None:
    token = lorry.tokens.issue(ALICE, ttl=timedelta(seconds=10))
    headers = {"Authorization": f"Bearer {token}"}
    assert lorry.client.get(JOBS, headers=headers).status_code == 200
    lorry.clock.advance(11)
    answer = lorry.client.get(JOBS, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "TOKEN_EXPIRED")


@pytest.mark.parametrize("scheme", ["Basic {}", "Bearer {}x", "{}", "Bearer"])
def test_a_token_in_another_dress_is_refused_and_never_shown(lorry: Installation, scheme: str) -> None:
    token = lorry.token()
    answer = lorry.client.get(JOBS, headers={"Authorization": scheme.format(token)})
    assert answer.status_code == 401
    assert token not in answer.text


def test_a_token_in_the_query_is_not_looked_at(lorry: Installation) -> None:
    assert lorry.client.get(f"/api/datasets?access_token={lorry.token()}").status_code == 401


def test_who_asks_is_settled_before_what_was_sent(lorry: Installation) -> None:
    answer = lorry.client.post("/api/training/submit", json={"config": {"steps": -1}})
    assert answer.status_code == 401
