"""The way out to receivers of webhooks, which strangers named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from orchestrator.domain.webhook import Answer


class WebhookSender(Protocol):
    def send(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST the body once, within seconds whatever the receiver does. Never raises: what went wrong is an answer.

        Redirects are not followed, the answer's body is not read, and an address that is not of the internet is never
        connected to unless the operator allowed that receiver.
        """
