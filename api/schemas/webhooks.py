"""Webhooks as they are asked for and as they are shown."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.domain.receiver import MAX_URL_LENGTH
from orchestrator.domain.webhook import Delivery, DeliveryState, Webhook, WebhookEvent


class WebhookBody(BaseModel):
    """Where to send, and what about."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"url": "https://example.com/hooks/lorry", "events": ["job.completed", "job.failed"]}
        },
    )

    url: str = Field(
        min_length=1,
        max_length=MAX_URL_LENGTH,
        description="Public, https, port 443; others only where the operator allows the receiver.",
    )
    events: list[WebhookEvent] = Field(
        list(WebhookEvent), min_length=1, max_length=len(WebhookEvent), description="All of them by default."
    )


class WebhookOut(BaseModel):
    id: str = Field(examples=["a6f0e1d2-3c4b-4596-8778-695a4b3c2d1e"])
    url: str
    events: list[WebhookEvent]
    created_at: datetime
    failing_since: datetime | None = Field(description="The first failure after the last success.")
    disabled_at: datetime | None = Field(description="Since then it is told of nothing.")
    disabled_reason: str | None

    @classmethod
    def from_domain(cls, webhook: Webhook) -> WebhookOut:
        return cls(**_shown(webhook))


class NewWebhookOut(WebhookOut):
    secret: str = Field(
        description="Signs every message. Shown this once.", examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
    )

    @classmethod
    def from_domain(cls, webhook: Webhook) -> NewWebhookOut:
        return cls(secret=webhook.secret, **_shown(webhook))


class DeliveryOut(BaseModel):
    """One message; its id is the `webhook-id` that the receiver sees at every try."""

    id: str = Field(examples=["f4b1c8d7-2e3a-4f60-9b5c-8d7e6f1a2b3c"])
    event: str = Field(description="A webhook's event, or `ping`.", examples=["job.completed"])
    job_id: str | None
    state: DeliveryState = Field(examples=["delivered"])
    tries: int
    status_code: int | None = Field(description="The receiver's last answer; null when there was none.")
    error: str | None = Field(description="Why the last try failed.")
    created_at: datetime
    tried_at: datetime | None
    next_try_at: datetime | None

    @classmethod
    def from_domain(cls, delivery: Delivery) -> DeliveryOut:
        return cls(**{name: getattr(delivery, name) for name in cls.model_fields})


def _shown(webhook: Webhook) -> dict[str, object]:
    return {name: getattr(webhook, name) for name in WebhookOut.model_fields}
