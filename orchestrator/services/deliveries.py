"""Taking what is in the outbox to users' webhooks, beside the passes: a receiver that hangs holds up no job.

Each message is sent until its receiver took it, so a crash between the answer and its record sends it once more,
under the same id.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from orchestrator.domain.errors import Deposed, StoreUnavailable
from orchestrator.domain.webhook import Delivery, DeliveryState, Webhook, after_try, signed_headers
from orchestrator.ports.clock import Clock
from orchestrator.ports.webhook_sender import WebhookSender
from orchestrator.ports.webhook_store import Outbox
from orchestrator.services.rounds import run_rounds

log = structlog.get_logger()

ROUND_SECONDS = 1.0
STORE_AWAY_SECONDS = 10.0
# Each is a thread that waits for a stranger. One user has one of them, whatever their webhooks.
MOST_AT_ONCE = 32
KEEP = timedelta(days=30)
_PRUNE_EVERY = timedelta(hours=1)


class Deliveries:
    def __init__(self, *, outbox: Outbox, sender: WebhookSender, clock: Clock) -> None:
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._busy_users: set[str] = set()
        self._lock = threading.Lock()  # of the set
        self._prune_at: datetime | None = None

    def run_until(self, stop: threading.Event, is_leading: Callable[[], bool]) -> None:
        """Round after round while this process leads; in a thread of its own."""
        run_rounds(self._round, stop=stop, is_leading=is_leading, idle_seconds=ROUND_SECONDS)

    def begin_due(self) -> int:
        """Begin to send what is due, each in a thread of its own; how many were begun. Raises StoreUnavailable."""
        with self._lock:
            busy = frozenset(self._busy_users)
        due = self._outbox.due(at=self._clock.now(), busy_users=busy, limit=MOST_AT_ONCE - len(busy))
        for webhook, delivery in due:
            with self._lock:
                self._busy_users.add(webhook.user_id)
            # A daemon: nobody waits for a stranger when the process ends; the next one sends it again.
            threading.Thread(target=self._send, args=(webhook, delivery), name="webhook", daemon=True).start()
        return len(due)

    def _round(self) -> float:
        """Seconds until the next one."""
        try:
            self._prune()
            self.begin_due()
        except (StoreUnavailable, Deposed) as error:
            log.warning("webhooks put off", error=error.message)
            return STORE_AWAY_SECONDS
        return ROUND_SECONDS

    def _send(self, webhook: Webhook, delivery: Delivery) -> None:
        try:
            self._try(webhook, delivery)
        except (StoreUnavailable, Deposed) as error:
            log.warning("webhook's answer not recorded", delivery_id=delivery.id, error=error.message)
        finally:
            with self._lock:
                self._busy_users.discard(webhook.user_id)

    def _try(self, webhook: Webhook, delivery: Delivery) -> None:
        headers = signed_headers(webhook.secret, delivery_id=delivery.id, body=delivery.body, at=self._clock.now())
        answer = self._sender.send(webhook.url, headers=headers, body=delivery.body.encode())
        jitter = random.random()  # noqa: S311 - only spreads load
        webhook, delivery = after_try(webhook, delivery, answer, at=self._clock.now(), jitter=jitter)
        self._outbox.record(webhook, delivery)
        if delivery.state is not DeliveryState.DELIVERED:
            facts = {"webhook_id": webhook.id, "delivery_id": delivery.id, "state": str(delivery.state)}
            log.info("webhook not delivered", **facts, tries=delivery.tries, error=delivery.error)

    def _prune(self) -> None:
        now = self._clock.now()
        if self._prune_at is None or now >= self._prune_at:
            self._outbox.prune(before=now - KEEP)
            self._prune_at = now + _PRUNE_EVERY
