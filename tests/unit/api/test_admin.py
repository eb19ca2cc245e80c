"""What administrators are shown, and nobody else."""

from __future__ import annotations

import pytest

from tests.unit.api.installation import ALICE, BOB, Installation

AUDIT = "/api/admin/audit"


def test_the_audit_log_asks_for_a_token_and_then_for_an_administrators(lorry: Installation) -> None:
    assert lorry.client.get(AUDIT).status_code == 401
    refused = lorry.client.get(AUDIT, headers=lorry.as_user(ALICE))
    assert (refused.status_code, refused.json()["error"]) == (403, "ADMIN_ONLY")
    assert lorry.client.get(AUDIT, headers=lorry.as_admin()).status_code == 200


def test_an_administrator_who_cancels_anothers_job_is_on_record_with_the_reason(lorry: Installation) -> None:
    job_id = lorry.submit(BOB)
    cancel = f"/api/training/jobs/{job_id}/cancel"
    for _ in range(2):
        lorry.client.post(cancel, json={"reason": "the machine is needed"}, headers=lorry.as_admin())

    entries = lorry.client.get(AUDIT, headers=lorry.as_admin()).json()["data"]
    [entry] = [entry for entry in entries if entry["action"] == "job_cancelled"]
    assert (entry["actor"], entry["subject"]) == ("root", job_id)
    assert (entry["message"], entry["data"]) == (
        "Cancelled: the machine is needed",
        {"owner": BOB, "status": "queued"},
    )
    event = lorry.client.get(f"/api/training/jobs/{job_id}/events", headers=lorry.as_user(BOB)).json()["data"][-1]
    assert (event["old_status"], event["new_status"], event["data"]["actor"]) == ("queued", "cancelled", "admin")


def test_who_cancels_a_job_of_their_own_is_in_its_history_and_not_in_the_audit_log(lorry: Installation) -> None:
    job_id = lorry.submit(ALICE)
    lorry.client.post(f"/api/training/jobs/{job_id}/cancel", headers=lorry.as_user(ALICE))

    events = lorry.client.get(f"/api/training/jobs/{job_id}/events", headers=lorry.as_user(ALICE)).json()["data"]
    assert [event["data"]["actor"] for event in events] == ["user", "user"]
    entries = lorry.client.get(AUDIT, headers=lorry.as_admin()).json()["data"]
    assert {entry["action"] for entry in entries} == {"token_created"}


def test_a_new_token_is_on_record_without_the_token(lorry: Installation) -> None:
    token = lorry.token(ALICE)
    answer = lorry.client.get(AUDIT, headers=lorry.as_admin())
    assert token not in answer.text
    newest, first = answer.json()["data"]
    assert (first["actor"], first["subject"], first["data"]) == ("operator", ALICE, {"is_admin": False})
    assert first["message"] == "A token was created, valid for ever."
    assert newest["message"].startswith("An administrator's token")


@pytest.mark.parametrize("query", ["page=0", "page_size=0", "page_size=201", "page=x"])
def test_a_page_that_is_none_is_refused(lorry: Installation, query: str) -> None:
    assert lorry.client.get(f"{AUDIT}?{query}", headers=lorry.as_admin()).status_code == 400


def test_the_audit_log_comes_in_pages_newest_first(lorry: Installation) -> None:
    for number in range(3):
        lorry.tokens.issue(f"user {number}")
    page = lorry.client.get(f"{AUDIT}?page=2&page_size=2", headers=lorry.as_admin()).json()
    assert ([entry["subject"] for entry in page["data"]], page["total"], page["page"]) == (["user 1", "user 0"], 4, 2)


def test_a_leaked_token_is_worthless_from_the_next_request_on(lorry: Installation) -> None:
    headers = lorry.as_user(ALICE)
    assert lorry.client.get("/api/training/jobs", headers=headers).status_code == 200

    assert lorry.tokens.revoke(ALICE) == 1

    assert lorry.client.get("/api/training/jobs", headers=headers).json()["error"] == "TOKEN_INVALID"
    newest = lorry.client.get(AUDIT, headers=lorry.as_admin()).json()["data"][1]
    assert (newest["action"], newest["subject"]) == ("tokens_revoked", ALICE)
