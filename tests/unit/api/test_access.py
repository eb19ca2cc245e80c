"""Who is let in, and that nobody sees what is another's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.api.installation import ALICE, BOB, Installation

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


def test_nothing_of_another_user_is_seen_on_any_path(lorry: Installation) -> None:
    job_id = lorry.submit(BOB)
    ids = {
        "job_id": job_id,
        "name": "cat",
        "artifact_id": lorry.artifact(job_id).id,
        "dataset_id": (dataset_id := lorry.dataset(BOB)),
        "item_id": lorry.datasets.items(dataset_id)[0].id,
        "webhook_id": lorry.webhook(BOB),
        "container_id": "0" * 64,
        "experiment_id": lorry.experiment(BOB),
    }
    walked = 0
    for method, path in operations(lorry):
        if "{" not in path:
            continue
        walked += 1
        compared = {"with": job_id} if path.endswith("/diff") else None
        mine = lorry.client.request(method, path.format(**ids), params=compared, headers=lorry.as_user(ALICE))
        is_admins = path.startswith("/api/admin/")
        assert mine.status_code == (403 if is_admins or "dataset_id" in path else 404), path
        unknown = dict.fromkeys(ids, "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11")
        nobodys = lorry.client.request(method, path.format(**unknown), params=compared, headers=lorry.as_user(ALICE))
        assert nobodys.status_code == (403 if is_admins else 404), path
    assert walked >= 8
    for path in (JOBS, "/api/datasets"):
        assert lorry.client.get(path, headers=lorry.as_user(ALICE)).json()["total"] == 0
    assert lorry.client.get(f"{JOBS}/{job_id}", headers=lorry.as_user(BOB)).json()["data"]["status"] == "queued"


def test_anothers_job_and_no_job_cannot_be_told_apart(lorry: Installation) -> None:
    job_id = lorry.submit(BOB)
    unknown_id = "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11"
    answers = [lorry.client.get(f"{JOBS}/{each}", headers=lorry.as_user()).json() for each in (job_id, unknown_id)]
    theirs, nobodys = (
        {**answer, "request_id": "", "message": answer["message"].replace(each, "ID")}
        for answer, each in zip(answers, (job_id, unknown_id), strict=True)
    )
    assert theirs == nobodys


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
