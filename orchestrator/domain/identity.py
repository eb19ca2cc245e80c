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


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What the store keeps of a token: never the token itself."""

    token_hash: str  # sha256, hex
    user_id: str
    is_admin: bool
    created_at: datetime
    expires_at: datetime | None
