"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Actor(StrEnum):
    """Who brought a change about, as a job's history tells it."""

    USER = "user"  # the job's owner
    ADMIN = "admin"  # an administrator, with somebody else's job
    ORCHESTRATOR = "orchestrator"


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. `user_id` owns jobs and datasets."""

    user_id: str
    is_admin: bool = False
    # The caller's own token, for a system that applies its own rules to the caller's rows; it lives for an hour at most
    # and is never stored. None for a caller whom only Lorry knows.
    access_token: str | None = field(default=None, repr=False, compare=False)
    expires_at: datetime | None = field(default=None, compare=False)  # when the token does; None: never


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What the store keeps of a token: never the token itself."""

    token_hash: str  # sha256, hex
    user_id: str
    is_admin: bool
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicket:
    """What the store keeps of a one-time ticket: never the ticket itself."""

    ticket_hash: str  # sha256, hex
    user_id: str
    is_admin: bool
    job_id: str | None  # the one job whose stream it opens; None: the stream of the user's own jobs
    expires_at: datetime
    token_expires_at: datetime | None  # of the token that it stands for, which ends the stream


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactTicket:
    """The same of a ticket for a download, which may be used again: whoever lost the connection asks for the rest."""

    ticket_hash: str  # sha256, hex
    user_id: str
    is_admin: bool
    artifact_id: str  # the one that it opens
    expires_at: datetime
    resumable_until: datetime  # when it expires once it was used
