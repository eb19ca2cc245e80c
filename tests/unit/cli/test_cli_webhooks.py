"""`lorry webhooks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Lorry = Callable[..., Any]
HOOK = {
    "id": "w1",
    "url": "https://example.com/hook",
    "events": ["job.completed"],
    "created_at": "2026-11-21T03:00:00Z",
    "failing_since": None,
    "disabled_at": None,
    "disabled_reason": None,
}
DELIVERY = {
    "id": "d1",
    "event": "ping",
    "job_id": None,
    "state": "pending",
    "tries": 0,
    "status_code": None,
    "error": None,
    "created_at": "2026-11-21T03:00:00Z",
}


@pytest.fixture(autouse=True)
def _url(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORRY_URL", server.url)


def test_a_webhook_is_added_and_its_secret_shown(server: Any, lorry: Lorry) -> None:
    server.answer("POST", "/webhooks", {"ok": True, "data": HOOK | {"secret": "whsec_x"}}, status=201)
    ended = lorry("webhooks", "add", HOOK["url"], "--event", "job.completed")
    assert server.seen[0].json() == {"url": HOOK["url"], "events": ["job.completed"]}
    assert ended.out == "Webhook w1 is told of job.completed.\nsecret: whsec_x\n"


def test_adding_a_webhook_is_not_repeated(server: Any, lorry: Lorry) -> None:
    server.refuse("POST", "/webhooks", 503, "STORE_UNAVAILABLE", "The store is away.")
    assert lorry("webhooks", "add", HOOK["url"]).code == 3
    assert len(server.seen) == 1


def test_webhooks_are_listed_with_their_state(server: Any, lorry: Lorry) -> None:
    off = HOOK | {"id": "w2", "disabled_at": "2026-11-21T04:00:00Z", "disabled_reason": "three days of failures"}
    server.data("/webhooks", [HOOK, off])
    lines = lorry("webhooks", "list").out.splitlines()
    assert lines[2].split()[-1] == "enabled"
    assert lines[3].endswith("disabled: three days of failures")


def test_a_ping_and_what_came_of_it(server: Any, lorry: Lorry) -> None:
    server.answer("POST", "/webhooks/w1/ping", {"ok": True, "data": DELIVERY}, status=202)
    failed = DELIVERY | {"state": "failed", "tries": 1, "status_code": 500, "error": "the receiver answered 500"}
    server.data("/webhooks/w1/deliveries", [failed], total=1)
    assert "lorry webhooks deliveries w1" in lorry("webhooks", "ping", "w1").out
    assert "the receiver answered 500" in lorry("webhooks", "deliveries", "w1").out


def test_a_webhook_is_enabled_again_and_removed(server: Any, lorry: Lorry) -> None:
    server.answer("POST", "/webhooks/w1/enable", {"ok": True, "data": HOOK})
    server.answer("DELETE", "/webhooks/w1", b"", status=204)
    assert lorry("webhooks", "enable", "w1").out == "Webhook w1 is enabled.\n"
    assert lorry("webhooks", "remove", "w1").code == 0
