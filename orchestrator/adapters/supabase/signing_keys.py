"""A project's public signing keys, fetched as seldom as it is safe to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import structlog

from orchestrator.domain.errors import IdentityUnavailable

# Binding each key to one algorithm is what keeps HS256 out: a published key is never a shared secret.
ALGORITHMS = ("ES256", "RS256")
LIFETIME_SECONDS = 600.0  # Supabase's documentation asks for no more
COOLDOWN_SECONDS = 30.0
# Good tokens outlive an outage of Supabase by a day; a key that was revoked meanwhile no longer than that.
MAX_STALE_SECONDS = 86_400.0

log = structlog.get_logger("lorry.supabase")


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: Mapping[str, jwt.PyJWK]
    at: float


class SigningKeys:
    """Thread-safe. `fetch` gives the document of the JWKS endpoint and raises IdentityUnavailable."""

    def __init__(
        self, fetch: Callable[[], Mapping[str, Any]], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._one_at_a_time = threading.Lock()
        self._fetched: _Fetched | None = None
        self._tried_at: float | None = None

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key of this id; None when the project does not publish it. Raises IdentityUnavailable.

        An unknown id has the keys fetched again, but at most once in COOLDOWN_SECONDS however many are asked for.
        """
        found = self._known(key_id)
        if found is not None and self._is_fresh():
            return found
        # Whoever holds a key that was good a moment ago does not wait for another's fetch.
        if not self._one_at_a_time.acquire(blocking=found is None):
            self._require_usable()
            return found
        try:
            # Another thread may have fetched while this one waited: look again first.
            if self._known(key_id) is None or not self._is_fresh():
                self._refresh()
        finally:
            self._one_at_a_time.release()
        self._require_usable()
        return self._known(key_id)

    def require(self) -> None:
        """Raises IdentityUnavailable when there are no keys to check a token with."""
        with self._one_at_a_time:
            if not self._is_fresh():
                self._refresh()
        self._require_usable()

    def _refresh(self) -> None:
        """Fetch, unless that was tried a moment ago. A fetch that fails leaves all as it was."""
        now = self._monotonic()
        if self._tried_at is not None and now - self._tried_at < COOLDOWN_SECONDS:
            return
        self._tried_at = now
        try:
            document = self._fetch()
        except IdentityUnavailable as error:
            log.warning("signing keys not fetched", reason=error.message, age_seconds=round(min(self._age(), 1e9)))
            return
        # The whole set is replaced, so that a revoked key is gone.
        self._fetched = _Fetched(_usable_keys(document), at=now)

    def _known(self, key_id: str) -> jwt.PyJWK | None:
        return self._fetched.keys.get(key_id) if self._fetched else None

    def _require_usable(self) -> None:
        if self._age() > MAX_STALE_SECONDS:
            raise IdentityUnavailable("Supabase's signing keys could not be fetched.")

    def _is_fresh(self) -> bool:
        return self._age() < LIFETIME_SECONDS

    def _age(self) -> float:
        return self._monotonic() - self._fetched.at if self._fetched else float("inf")


def _usable_keys(document: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """One key of a kind we do not know must not spoil the others."""
    usable = {}
    listed = document.get("keys")
    for entry in listed if isinstance(listed, Iterable) else ():
        try:
            key = jwt.PyJWK(entry)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
            continue
        if key.key_id and key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig"):
            usable[key.key_id] = key
    return usable
