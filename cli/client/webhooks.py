"""Webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from cli.answers import Delivery, NewWebhook, Page, Webhook
from cli.client.transport import Transport


class WebhookCalls(Transport):
    def webhooks(self) -> list[Webhook]:
        return cast("list[Webhook]", self._data("/webhooks", doing="list webhooks"))

    def add_webhook(self, url: str, *, events: Sequence[str] = ()) -> NewWebhook:
        """Told of `events`, or of all. Not repeated: a second request makes a second webhook."""
        body = {"url": url, "events": list(events)} if events else {"url": url}
        return cast("NewWebhook", self._once("POST", "/webhooks", doing="add a webhook", json=body)["data"])

    def remove_webhook(self, webhook_id: str) -> None:
        self._send("DELETE", f"/webhooks/{webhook_id}", doing=f"remove webhook {webhook_id}")

    def enable_webhook(self, webhook_id: str) -> Webhook:
        doing = f"enable webhook {webhook_id}"
        return cast("Webhook", self._post(f"/webhooks/{webhook_id}/enable", doing=doing)["data"])

    def ping_webhook(self, webhook_id: str) -> Delivery:
        doing = f"try webhook {webhook_id}"
        return cast("Delivery", self._once("POST", f"/webhooks/{webhook_id}/ping", doing=doing)["data"])

    def deliveries(self, webhook_id: str) -> Page[Delivery]:
        """Newest first."""
        return self._page(f"/webhooks/{webhook_id}/deliveries", doing=f"list deliveries of webhook {webhook_id}")
