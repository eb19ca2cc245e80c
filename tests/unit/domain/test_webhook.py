"""What a webhook is told, how it is signed, and what becomes of it after each try."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.webhook import (
    PATIENCE,
    Answer,
    DeliveryState,
    WebhookEvent,
    after_try,
    event_told,
    job_body,
    signed_headers,
)
from tests.factories import NOW, make_delivery, make_job, make_webhook

# The example of the specification: https://github.com/standard-webhooks/standard-webhooks
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    body = '{"test": 2432232314}'
    at = NOW.fromtimestamp(1614265330, NOW.tzinfo)
    headers = signed_headers(SECRET, delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek", body=body, at=at)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_state_but_pending_is_told() -> None:
    events = {status: event_told(_entering(status)) for status in JobStatus}
    assert events.pop(JobStatus.PENDING) is None
    assert set(events.values()) == set(WebhookEvent)


def test_the_message_says_what_became_of_the_job_and_bounds_what_its_container_wrote() -> None:
    job = make_job(name="گربه")
    claimed = job.claimed(slot=1, devices=("cpu-0",), at=NOW)
    ended = claimed.ended(EndReason.TRAINER_FAILED, at=NOW, message="x" * 100_000 + "\x00", exit_code=70)
    body = job_body(ended, status_event(claimed, ended, ended.error_message or ""))
    message = json.loads(body)
    assert (message["type"], message["data"]["job_id"], message["data"]["name"]) == ("job.failed", job.id, "گربه")
    assert (message["data"]["end_reason"], message["data"]["exit_code"]) == ("trainer_failed", 70)
    assert len(body) < 4_000
    assert "\\u0000" not in body


def test_success_ends_a_delivery_and_the_webhooks_failing() -> None:
    webhook = make_webhook(failing_since=NOW - timedelta(hours=1))
    webhook, delivery = after_try(webhook, make_delivery(webhook), Answer(204), at=NOW, jitter=0)
    assert (delivery.state, delivery.tries, delivery.next_try_at) == (DeliveryState.DELIVERED, 1, None)
    assert webhook.failing_since is None


def test_a_failure_is_tried_again_later_and_later() -> None:
    webhook = make_webhook()
    delivery, pauses = make_delivery(webhook), []
    for _ in range(5):
        webhook, delivery = after_try(webhook, delivery, Answer(500), at=NOW, jitter=0)
        pauses.append((delivery.next_try_at - NOW).total_seconds())
    assert pauses == [5, 10, 20, 40, 80]
    assert (delivery.state, delivery.error) == (DeliveryState.PENDING, "the receiver answered 500")
    assert (webhook.failing_since, webhook.disabled_at) == (NOW, None)


@pytest.mark.parametrize("answer", [Answer(302), Answer(error="no address of the internet", is_final=True)])
def test_what_another_try_would_not_change_is_given_up_at_once(answer: Answer) -> None:
    webhook = make_webhook()
    webhook, delivery = after_try(webhook, make_delivery(webhook), answer, at=NOW, jitter=0)
    assert (delivery.state, delivery.next_try_at) == (DeliveryState.FAILED, None)
    assert webhook.disabled_at is None


def test_a_message_is_given_up_and_its_webhook_disabled_after_three_days_without_success() -> None:
    webhook = make_webhook(failing_since=NOW - PATIENCE)
    delivery = make_delivery(webhook, created_at=NOW - PATIENCE, tries=20)
    webhook, delivery = after_try(webhook, delivery, Answer(error="nobody is there"), at=NOW, jitter=0)
    assert (delivery.state, webhook.disabled_at) == (DeliveryState.FAILED, NOW)
    assert "nothing could be delivered since" in (webhook.disabled_reason or "")


def test_a_message_that_alone_fails_is_given_up_without_disabling_its_webhook() -> None:
    webhook = make_webhook()
    delivery = make_delivery(webhook, created_at=NOW - PATIENCE)
    webhook, delivery = after_try(webhook, delivery, Answer(422), at=NOW, jitter=0)
    assert (delivery.state, webhook.disabled_at) == (DeliveryState.FAILED, None)


def test_a_receiver_that_is_gone_disables_its_webhook_at_once() -> None:
    webhook = make_webhook()
    webhook, delivery = after_try(webhook, make_delivery(webhook), Answer(410), at=NOW, jitter=0)
    assert (delivery.state, webhook.disabled_at) == (DeliveryState.FAILED, NOW)


def _entering(status: JobStatus):
    before, after = make_job(), make_job(status=status)
    return replace(status_event(before, after, "Went on."), new_status=status)
