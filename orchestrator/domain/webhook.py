"""Webhooks: addresses of users that are told, by signed HTTP requests, when their jobs move on.

Headers and signature are those of Standard Webhooks (https://www.standardwebhooks.com): whoever receives may verify
with any of its libraries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from orchestrator.domain.back_off import BackOff
from orchestrator.domain.events import JobEvent, storable
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import JobStatus

PING = "ping"
SECRET_PREFIX = "whsec_"  # noqa: S105 - what tells a secret from other texts
SECRET_BYTES = 32
# After so long without success a delivery is given up, and a webhook is disabled.
PATIENCE = timedelta(days=3)
BACK_OFF = BackOff(first_seconds=5.0, longest_seconds=6 * 3_600.0)
_SUCCESS = range(200, 300)
_REDIRECTS = range(300, 400)
_GONE = 410


class WebhookEvent(StrEnum):
    """What a webhook may ask to be told of: a job of its user entered that state."""

    QUEUED = "job.queued"
    RUNNING = "job.running"
    COMPLETED = "job.completed"
    FAILED = "job.failed"
    CANCELLED = "job.cancelled"


_EVENT_OF = {
    JobStatus.QUEUED: WebhookEvent.QUEUED,
    JobStatus.RUNNING: WebhookEvent.RUNNING,
    JobStatus.COMPLETED: WebhookEvent.COMPLETED,
    JobStatus.FAILED: WebhookEvent.FAILED,
    JobStatus.CANCELLED: WebhookEvent.CANCELLED,
}


class DeliveryState(StrEnum):
    PENDING = "pending"  # to be tried, at once or later
    DELIVERED = "delivered"  # the receiver answered with success
    FAILED = "failed"  # given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    id: str
    user_id: str
    url: str
    secret: str = field(repr=False)  # whsec_ and base64; needed to sign, so it is not stored as a hash
    events: tuple[WebhookEvent, ...]
    created_at: datetime
    failing_since: datetime | None = None  # the first failure after the last success
    disabled_at: datetime | None = None
    disabled_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one webhook. Its id goes with every try, so that a receiver knows a second one."""

    id: str
    webhook_id: str
    event: str  # a WebhookEvent, or PING
    job_id: str | None
    body: str
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    tries: int = 0
    next_try_at: datetime | None = None  # while it is pending
    tried_at: datetime | None = None
    status_code: int | None = None  # the last answer's
    error: str | None = None  # a sentence for people


@dataclass(frozen=True, slots=True)
class Answer:
    """What a try came to. Without a status code the receiver was not reached: `error` says why."""

    status_code: int | None = None
    error: str | None = None
    is_final: bool = False  # another try would end the same

    @property
    def is_success(self) -> bool:
        return self.status_code in _SUCCESS


def event_told(event: JobEvent) -> WebhookEvent | None:
    """What webhooks are told of this row of a job's history; None: nothing."""
    return _EVENT_OF.get(JobStatus(event.new_status)) if event.new_status is not None else None


def job_body(job: Job, event: JobEvent) -> str:
    """The message about a transition of `job`, which is as it stands after it."""
    data = {
        "job_id": job.id,
        "name": job.name,
        "type": str(job.type),
        "base_model": job.base_model,
        "dataset_id": job.dataset_id,
        "attempt": event.attempt,
        "old_status": event.old_status,
        "status": event.new_status,
        "message": event.message,
        "end_reason": job.end_reason,
        "exit_code": job.exit_code,
    }
    return _body(str(event_told(event)), event.at, data)


def ping_body(webhook: Webhook, *, at: datetime) -> str:
    return _body(PING, at, {"webhook_id": webhook.id})


def signed_headers(secret: str, *, delivery_id: str, body: str, at: datetime) -> dict[str, str]:
    """The three headers of a try at this instant."""
    timestamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signature = hmac.new(key, f"{delivery_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def after_try(
    webhook: Webhook, delivery: Delivery, answer: Answer, *, at: datetime, jitter: float
) -> tuple[Webhook, Delivery]:
    """Both as they stand after a try; `jitter` in 0..1 spreads the next one."""
    tried = replace(
        delivery, tries=delivery.tries + 1, tried_at=at, status_code=answer.status_code, error=_error(answer)
    )
    if answer.is_success:
        delivered = replace(tried, state=DeliveryState.DELIVERED, next_try_at=None)
        return replace(webhook, failing_since=None), delivered
    webhook = _failed(webhook, answer, at=at)
    if webhook.disabled_at or answer.is_final or at - delivery.created_at >= PATIENCE or _is_redirect(answer):
        return webhook, replace(tried, state=DeliveryState.FAILED, next_try_at=None)
    pause = timedelta(seconds=BACK_OFF.spread_seconds(delivery.tries, jitter))
    return webhook, replace(tried, next_try_at=at + pause)


def _failed(webhook: Webhook, answer: Answer, *, at: datetime) -> Webhook:
    since = webhook.failing_since or at
    if answer.status_code == _GONE:
        reason = "the receiver answered 410: it wants no more of them"
    elif at - since >= PATIENCE:
        reason = f"nothing could be delivered since {since.isoformat(timespec='seconds')}"
    else:
        return replace(webhook, failing_since=since)
    return replace(webhook, failing_since=since, disabled_at=at, disabled_reason=reason)


def _error(answer: Answer) -> str | None:
    if answer.is_success or answer.status_code is None:
        return answer.error
    if _is_redirect(answer):
        return f"the receiver answered {answer.status_code}, and redirects are not followed"
    return f"the receiver answered {answer.status_code}"


def _is_redirect(answer: Answer) -> bool:
    return answer.status_code in _REDIRECTS


def _body(event: str, at: datetime, data: dict[str, Any]) -> str:
    """The reason of an end may quote what a container wrote, and a name what a client sent."""
    return json.dumps({"type": event, "timestamp": at.isoformat(), "data": storable(data)}, ensure_ascii=False)
