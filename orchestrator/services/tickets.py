"""One-time tickets for streams: an EventSource cannot send a token, and a token in a query ends up in logs."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.domain.errors import Unauthenticated
from orchestrator.domain.identity import Identity, StreamTicket
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.ticket_store import TicketStore
from orchestrator.services.ownership import owned_job

TICKET_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Issued:
    """A ticket and how long it is worth something."""

    ticket: str = field(repr=False)
    expires_at: datetime


class Tickets:
    """256 random bits, kept as sha256."""

    def __init__(self, *, store: TicketStore, jobs: JobStore, clock: Clock) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock

    def issue(self, identity: Identity, job_id: str | None) -> Issued:
        """A ticket for a job's stream, or for that of the caller's own jobs. Raises NotFound for another user's job."""
        if job_id is not None:
            owned_job(self._jobs, identity, job_id)
        ticket = secrets.token_urlsafe(32)
        now = self._clock.now()
        stored = StreamTicket(
            ticket_hash=digest(ticket),
            user_id=identity.user_id,
            is_admin=identity.is_admin,
            job_id=job_id,
            expires_at=now + timedelta(seconds=TICKET_SECONDS),
            token_expires_at=identity.expires_at,
        )
        self._store.add(stored, now=now)
        return Issued(ticket, stored.expires_at)

    def redeem(self, ticket: str, job_id: str | None) -> Identity:
        """Whose ticket it was; it is worthless from now on, also when it was one for another stream.

        Raises Unauthenticated (TICKET_INVALID) in the same words for all that can be wrong with it.
        """
        found = self._store.take(digest(ticket))
        if found is None or found.expires_at <= self._clock.now() or found.job_id != job_id:
            raise Unauthenticated(
                f"The ticket is not valid for this stream: it opens one stream once, within {TICKET_SECONDS} seconds.",
                code="TICKET_INVALID",
            )
        return Identity(found.user_id, is_admin=found.is_admin, expires_at=found.token_expires_at)


def digest(ticket: str) -> str:
    """What of a ticket is stored."""
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest()
