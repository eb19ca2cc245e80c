"""Tickets for downloads, kept as hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from orchestrator.domain.identity import ArtifactTicket


class ArtifactTicketStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def add(self, ticket: ArtifactTicket, *, now: datetime) -> None:
        """Store a ticket, and forget those that have expired."""

    def use(self, ticket_hash: str, artifact_id: str, *, now: datetime) -> ArtifactTicket | None:
        """The ticket, which from now on expires at its `resumable_until`; None for one that has expired, is not known,
        or is for another artifact."""
