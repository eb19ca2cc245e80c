"""Webhooks as users add, look at, try and remove them."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.webhook import WebhookEvent
from orchestrator.services.webhooks import MAX_WEBHOOKS_PER_USER
from tests.unit.api.installation import ALICE, BOB, Installation

WEBHOOKS = "/api/webhooks"
URL = "https://example.com/hook"


def created(lorry: Installation, **changes: Any) -> dict[str, Any]:
    answer = lorry.client.post(WEBHOOKS, json={"url": URL} | changes, headers=lorry.as_user())
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_the_secret_is_shown_once_and_never_again(lorry: Installation) -> None:
    webhook = created(lorry)
    assert webhook["secret"].startswith("whsec_")
    assert webhook["events"] == [str(event) for event in WebhookEvent]
    for path in (WEBHOOKS, f"{WEBHOOKS}/{webhook['id']}", f"{WEBHOOKS}/{webhook['id']}/deliveries"):
        answer = lorry.client.get(path, headers=lorry.as_user())
        assert answer.status_code == 200
        assert webhook["secret"] not in answer.text
    assert created(lorry)["secret"] != webhook["secret"]


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://127.0.0.1/", "https://2130706433/", "https://example.com:22/", "x", ""]
)
def test_a_url_that_leads_inside_or_is_none_is_refused(lorry: Installation, url: str) -> None:
    answer = lorry.client.post(WEBHOOKS, json={"url": url}, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
    assert lorry.client.get(WEBHOOKS, headers=lorry.as_user()).json()["total"] == 0


@pytest.mark.parametrize("body", [{}, {"url": 7}, {"url": URL, "events": []}, {"url": URL, "events": ["job.pending"]}])
def test_a_body_that_is_wrong_is_refused(lorry: Installation, body: dict[str, Any]) -> None:
    assert lorry.client.post(WEBHOOKS, json=body, headers=lorry.as_user()).status_code == 400


def test_a_user_may_have_ten(lorry: Installation) -> None:
    for _ in range(MAX_WEBHOOKS_PER_USER):
        created(lorry)
    answer = lorry.client.post(WEBHOOKS, json={"url": URL}, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (409, "TOO_MANY_WEBHOOKS")


def test_what_a_job_went_through_is_among_the_deliveries(lorry: Installation) -> None:
    webhook = created(lorry, events=["job.cancelled"])
    job_id = lorry.submit(ALICE)
    lorry.client.post(f"/api/training/jobs/{job_id}/cancel", headers=lorry.as_user())
    (delivery,) = lorry.client.get(f"{WEBHOOKS}/{webhook['id']}/deliveries", headers=lorry.as_user()).json()["data"]
    assert (delivery["event"], delivery["job_id"]) == ("job.cancelled", job_id)
    assert (delivery["state"], delivery["tries"], delivery["status_code"]) == ("pending", 0, None)


def test_a_ping_is_accepted_once_at_a_time(lorry: Installation) -> None:
    ping = f"{WEBHOOKS}/{created(lorry)['id']}/ping"
    answer = lorry.client.post(ping, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["data"]["event"]) == (202, "ping")
    again = lorry.client.post(ping, headers=lorry.as_user())
    assert (again.status_code, again.json()["error"]) == (409, "PING_PENDING")


def test_a_webhook_is_removed_and_enabled_by_its_owner_alone(lorry: Installation) -> None:
    path = f"{WEBHOOKS}/{created(lorry)['id']}"
    for stranger in (lorry.as_user(BOB), lorry.as_admin()):
        assert lorry.client.delete(path, headers=stranger).status_code == 404
        assert lorry.client.post(f"{path}/enable", headers=stranger).status_code == 404
    assert lorry.client.post(f"{path}/enable", headers=lorry.as_user()).json()["data"]["disabled_at"] is None
    assert lorry.client.delete(path, headers=lorry.as_user()).status_code == 204
    assert lorry.client.get(path, headers=lorry.as_user()).status_code == 404
