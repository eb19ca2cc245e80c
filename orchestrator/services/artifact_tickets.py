"""Tickets for downloads: a browser fetches a file by itself, with its own progress, and sends no token with that.

The address of a stream is connected to once, that of a download more often: a browser that lost its connection asks the
same address for the rest. So a ticket that nobody used is soon worth nothing, and one that was goes on for an hour.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from orchestrator.domain.errors import Unauthenticated
from orchestrator.domain.identity import ArtifactTicket, Identity
from orchestrator.ports.artifact_ticket_store import ArtifactTicketStore
from orchestrator.ports.clock import Clock
from orchestrator.services.tickets import TICKET_SECONDS, Issued, digest

RESUMABLE_FOR = timedelta(hours=1)


class ArtifactTickets:
    """256 random bits, kept as sha256. None outlives the token that it stands for."""

    def __init__(self, *, store: ArtifactTicketStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def issue(self, identity: Identity, artifact_id: str) -> Issued:
        """A ticket for an artifact that the caller may see, which is for whoever asks to know."""
        ticket = secrets.token_urlsafe(32)
        now = self._clock.now()
        last = min(now + RESUMABLE_FOR, identity.expires_at or now + RESUMABLE_FOR)
        stored = ArtifactTicket(
            ticket_hash=digest(ticket),
            user_id=identity.user_id,
            is_admin=identity.is_admin,
            artifact_id=artifact_id,
            expires_at=min(now + timedelta(seconds=TICKET_SECONDS), last),
            resumable_until=last,
        )
        self._store.add(stored, now=now)
        return Issued(ticket, stored.expires_at)

    def redeem(self, ticket: str, artifact_id: str) -> Identity:
        """Whose ticket it is.

        Raises Unauthenticated (TICKET_INVALID) in the same words for all that can be wrong with it.
        """
        found = self._store.use(digest(ticket), artifact_id, now=self._clock.now())
        if found is None:
            raise Unauthenticated(
                f"The link is not valid for this file, or no longer: follow it within {TICKET_SECONDS} seconds.",
                code="TICKET_INVALID",
            )
        return Identity(found.user_id, is_admin=found.is_admin, expires_at=found.resumable_until)
