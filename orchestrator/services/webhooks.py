"""What a user does with webhooks: name a receiver, look at what it was told, try it, take it away."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Collection, Sequence

from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.identity import Identity
from orchestrator.domain.receiver import parse_receiver
from orchestrator.domain.webhook import (
    PING,
    SECRET_BYTES,
    SECRET_PREFIX,
    Delivery,
    Webhook,
    WebhookEvent,
    ping_body,
)
from orchestrator.ports.clock import Clock
from orchestrator.ports.webhook_store import DeliveryPage, WebhookStore

MAX_WEBHOOKS_PER_USER = 10


class Webhooks:
    """Every method but `create` and `list` raises NotFound for an unknown webhook, and for another user's."""

    def __init__(
        self, *, store: WebhookStore, clock: Clock, are_allowed: bool, allowed_receivers: Collection[str] = ()
    ) -> None:
        self._store = store
        self._clock = clock
        self._are_allowed = are_allowed
        self._allowed_receivers = frozenset(allowed_receivers)

    def create(self, identity: Identity, *, url: str, events: Sequence[WebhookEvent]) -> Webhook:
        """With a new secret, which nobody is shown again.

        Raises Refused (WEBHOOKS_OFF), Rejected (WEBHOOK_URL_REFUSED), Conflict (TOO_MANY_WEBHOOKS).
        """
        if not self._are_allowed:
            raise Refused("Webhooks are switched off on this installation.", code="WEBHOOKS_OFF")
        parse_receiver(url, self._allowed_receivers)
        webhook = Webhook(
            id=str(uuid.uuid4()),
            user_id=identity.user_id,
            url=url,
            secret=SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
            events=tuple(dict.fromkeys(events)),
            created_at=self._clock.now(),
        )
        self._store.add(webhook, limit=MAX_WEBHOOKS_PER_USER)
        return webhook

    def get(self, identity: Identity, webhook_id: str) -> Webhook:
        webhook = self._store.get(webhook_id)
        if webhook.user_id != identity.user_id:
            raise NotFound(f"There is no webhook {webhook_id}.", code="WEBHOOK_NOT_FOUND")
        return webhook

    def list(self, identity: Identity) -> Sequence[Webhook]:
        """The caller's own, oldest first."""
        return self._store.list(identity.user_id)

    def remove(self, identity: Identity, webhook_id: str) -> None:
        self._store.remove(self.get(identity, webhook_id).id)

    def enable(self, identity: Identity, webhook_id: str) -> Webhook:
        """Go on telling one that was disabled; what happened meanwhile is not made up for."""
        self._store.enable(self.get(identity, webhook_id).id)
        return self._store.get(webhook_id)

    def ping(self, identity: Identity, webhook_id: str) -> Delivery:
        """Send it a message that means nothing. Raises Conflict (PING_PENDING) while the last one is on its way."""
        webhook, now = self.get(identity, webhook_id), self._clock.now()
        ping = Delivery(
            id=str(uuid.uuid4()),
            webhook_id=webhook.id,
            event=PING,
            job_id=None,
            body=ping_body(webhook, at=now),
            created_at=now,
            next_try_at=now,
        )
        self._store.post(ping)
        return ping

    def deliveries(self, identity: Identity, webhook_id: str, *, page: int, page_size: int) -> DeliveryPage:
        """Newest first."""
        return self._store.deliveries(self.get(identity, webhook_id).id, page=page, page_size=page_size)
