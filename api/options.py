"""What the HTTP half needs to know besides its services."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    submit_rate: str = "10/minute"  # a user's submissions; the notation of the `limits` library
    request_rate: str = "600/minute"  # a user's requests, submissions included
    failed_authentication_rate: str = "60/minute"  # an address's refused tokens
    submit_wait_seconds: float = 15.0
    max_streams_per_user: int = 64  # open at a time, in this process
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = 1024**2  # of every request but an upload
    supabase_url: str | None = None  # where users sign in, when not with a token
    supabase_publishable_key: str | None = None
    web_directory: Path | None = None  # the built web app; None: this API comes without one
    max_upload_bytes: int = 2 * 1024**3
    version: str = "0"
