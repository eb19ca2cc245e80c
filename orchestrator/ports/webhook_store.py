"""Users' webhooks, and the outbox: what is still to be told to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.webhook import Delivery, Webhook


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    deliveries: tuple[Delivery, ...]
    total: int


class WebhookStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def add(self, webhook: Webhook, *, limit: int) -> None:
        """Raises Conflict (TOO_MANY_WEBHOOKS) when the user has `limit` of them already."""

    def get(self, webhook_id: str) -> Webhook:
        """Raises NotFound."""

    def list(self, user_id: str) -> Sequence[Webhook]:
        """Oldest first."""

    def remove(self, webhook_id: str) -> None:
        """With what is pending for it. Safe to repeat."""

    def enable(self, webhook_id: str) -> None:
        """Tell it of what happens from now on. Safe to repeat."""

    def post(self, delivery: Delivery) -> None:
        """Put a message of ours into the outbox. Raises Conflict (PING_PENDING) while one of that event is pending."""

    def deliveries(self, webhook_id: str, *, page: int, page_size: int) -> DeliveryPage:
        """Newest first."""


class Outbox(Protocol):
    """What transitions of jobs wrote, each in its own transaction. Each may raise StoreUnavailable or Deposed."""

    def due(self, *, at: datetime, busy_users: Collection[str], limit: int) -> Sequence[tuple[Webhook, Delivery]]:
        """What is to be tried now, longest due first: one message of each user, and none of those `busy_users`."""

    def record(self, webhook: Webhook, delivery: Delivery) -> None:
        """Store what a try came to. With a webhook that is disabled by now, all that is pending for it fails."""

    def prune(self, *, before: datetime) -> int:
        """Forget messages that were settled and tried before; returns how many."""
