"""One Supabase project: its address, its key, its connections, and the one seam where its errors become ours.

Connections are shared, client objects are not: a client that has once carried a user's token is that user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import httpx
from postgrest.exceptions import APIError
from supabase import Client, ClientOptions, create_client
from supabase_auth.errors import AuthApiError, AuthError
from supabase_auth.types import User

from orchestrator.domain.errors import IdentityUnavailable, Unauthenticated

# Idle connections are closed before Supabase's gateway does it in the middle of a request.
_CONNECTIONS = httpx.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=15.0)
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
_REFUSALS = frozenset({400, 401, 403, 404})


class DatasetsSeen(StrEnum):
    CLOSED = "closed"
    OPEN = "open"  # rows, to somebody who has not signed in
    MISSING = "missing"  # no such table in the schema that is served
    KEY_REFUSED = "key_refused"
    UNKNOWN = "unknown"


_SEEN_BY_CODE = {"42501": DatasetsSeen.CLOSED, "PGRST205": DatasetsSeen.MISSING}


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What a project shows of itself to anybody who asks."""

    key_count: int  # published signing keys; none: it signs with a shared secret
    clock_skew_seconds: float
    datasets: DatasetsSeen


class Project:
    """Thread-safe."""

    def __init__(self, url: str, publishable_key: str, *, timeout_seconds: float = 3.0) -> None:
        self.url = url.rstrip("/")
        self._key = publishable_key
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout_seconds),
            limits=_CONNECTIONS,
            trust_env=urlsplit(url).hostname not in LOOPBACK_HOSTS,  # a proxy cannot reach our loopback
        )
        self._as_nobody = self._client({})

    def close(self) -> None:
        self._http.close()

    def as_caller(self, access_token: str) -> Client:
        """A client for one request of one user: row level security applies to all that it does."""
        return self._client({"Authorization": f"Bearer {access_token}"})

    def published_keys(self) -> Mapping[str, Any]:
        """The JWKS document. Raises IdentityUnavailable."""
        return self._keys_and_instant()[0]

    def facts(self) -> ProjectFacts:
        """What `lorry doctor` wants to know. Raises IdentityUnavailable when nobody answers."""
        document, instant = self._keys_and_instant()
        listed = document.get("keys")
        return ProjectFacts(
            key_count=len(listed) if isinstance(listed, list) else 0,
            clock_skew_seconds=abs((instant - datetime.now(UTC)).total_seconds()) if instant else 0.0,
            datasets=self._datasets_as_nobody(),
        )

    def _keys_and_instant(self) -> tuple[Mapping[str, Any], datetime | None]:
        """The JWKS document, and what time it was there."""
        try:
            answer = self._http.get(f"{self.url}/auth/v1/.well-known/jwks.json", headers={"apikey": self._key})
            answer.raise_for_status()
            document, date = answer.json(), answer.headers.get("Date")
            instant = parsedate_to_datetime(date) if date else None
        except (httpx.HTTPError, ValueError) as error:
            raise IdentityUnavailable(f"Supabase's signing keys could not be fetched: {_named(error)}.") from error
        if not isinstance(document, dict):
            raise IdentityUnavailable("Supabase's signing keys could not be fetched: the answer is no JWKS.")
        return document, instant

    def _datasets_as_nobody(self) -> DatasetsSeen:
        """What the Data API shows of the datasets to somebody who has not signed in: it should be nothing."""
        try:
            rows = self._as_nobody.table("datasets").select("id").limit(1).execute().data
        except APIError as error:
            # The gateway's own refusal is about our key and has no code.
            is_key_refused = error.code is None and "api key" in (error.message or "").lower()
            return (
                DatasetsSeen.KEY_REFUSED if is_key_refused else _SEEN_BY_CODE.get(str(error.code), DatasetsSeen.UNKNOWN)
            )
        except httpx.HTTPError:
            return DatasetsSeen.UNKNOWN
        return DatasetsSeen.OPEN if rows else DatasetsSeen.CLOSED

    def user_of(self, access_token: str) -> User:
        """Who Supabase itself says holds a token. Raises Unauthenticated, IdentityUnavailable."""
        try:
            answer = self._as_nobody.auth.get_user(access_token)
        except AuthApiError as error:
            # The gateway's own refusal is about our key and has no code: it says nothing about the caller.
            if error.status in _REFUSALS and error.code is not None:
                raise Unauthenticated("Supabase does not accept the access token.", code="TOKEN_INVALID") from error
            raise IdentityUnavailable(f"Supabase could not say who is calling: {_named(error)}.") from error
        except (AuthError, httpx.HTTPError, ValueError) as error:
            raise IdentityUnavailable(f"Supabase could not say who is calling: {_named(error)}.") from error
        if answer is None:
            raise Unauthenticated("Supabase does not accept the access token.", code="TOKEN_INVALID")
        return answer.user

    def _client(self, headers: Mapping[str, str]) -> Client:
        options = ClientOptions(
            headers=dict(headers),
            auto_refresh_token=False,
            persist_session=False,
            # Its retries sleep for seven seconds; the caller hears 503 with Retry-After instead.
            postgrest_client_retry=False,
            httpx_client=self._http,
        )
        return create_client(self.url, self._key, options)


def _named(error: Exception) -> str:
    """What went wrong, without what the foreign message may quote."""
    status = getattr(error, "status", None) or getattr(getattr(error, "response", None), "status_code", None)
    return f"{type(error).__name__} {status}" if status else type(error).__name__
