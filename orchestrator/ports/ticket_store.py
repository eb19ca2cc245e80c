"""One-time tickets, kept as hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from orchestrator.domain.identity import StreamTicket


class TicketStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def add(self, ticket: StreamTicket, *, now: datetime) -> None:
        """Store a ticket, and forget those that nobody used in time."""

    def take(self, ticket_hash: str) -> StreamTicket | None:
        """The ticket, which is forgotten with that: of two who take it at once, one gets None."""
