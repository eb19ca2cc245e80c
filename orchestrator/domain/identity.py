"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. `user_id` owns jobs and datasets."""

    user_id: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What the store keeps of a token: never the token itself."""

    token_hash: str  # sha256, hex
    user_id: str
    is_admin: bool
    created_at: datetime
    expires_at: datetime | None
