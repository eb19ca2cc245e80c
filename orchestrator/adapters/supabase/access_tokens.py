"""TokenVerifier and IdentityProvider over Supabase access tokens.

They are checked here with the project's public keys. Supabase is asked about the others: those of projects that still
sign with a shared secret, which we do not hold, and of keys published a moment ago.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from orchestrator.adapters.supabase.claims import (
    ClaimRules,
    header_of,
    identity_of,
    unverified_claims,
    verified_claims,
)
from orchestrator.adapters.supabase.project import Project
from orchestrator.adapters.supabase.signing_keys import ALGORITHMS, SigningKeys
from orchestrator.domain.errors import IdentityUnavailable, Unauthenticated
from orchestrator.domain.identity import Identity

_SHARED_SECRET = "HS256"  # noqa: S105 - an algorithm's name
_QUESTIONS_AT_A_TIME = 4
_QUESTION_PATIENCE_SECONDS = 3.0


class SupabaseTokens:
    def __init__(self, project: Project, rules: ClaimRules, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._project = project
        self._rules = rules
        self._keys = SigningKeys(project.published_keys, monotonic=monotonic)
        self._refused = _RefusedTokens(monotonic)
        self._questions = threading.BoundedSemaphore(_QUESTIONS_AT_A_TIME)

    def verify(self, token: str) -> Identity:
        header = header_of(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in (*ALGORITHMS, _SHARED_SECRET):
            raise Unauthenticated("The access token is not signed as Supabase signs them.", code="TOKEN_INVALID")
        if algorithm == _SHARED_SECRET or not key_id:
            return self._ask(token)
        key = self._keys.find(key_id)
        if key is None:
            return self._ask(token)
        return identity_of(verified_claims(token, key, self._rules), token, self._rules)

    def check(self) -> None:
        """Raises IdentityUnavailable while no signing keys are at hand; during an outage the last ones serve."""
        self._keys.require()

    def _ask(self, token: str) -> Identity:
        """Let Supabase check the signature; all else is checked first, so that most forgeries cost it nothing."""
        claims = unverified_claims(token, self._rules)
        identity_of(claims, token, self._rules)
        self._refused.require_unknown(token)
        if not self._questions.acquire(timeout=_QUESTION_PATIENCE_SECONDS):
            raise IdentityUnavailable("Too many access tokens wait for Supabase to check them.")
        try:
            user = self._project.user_of(token)
        except Unauthenticated:
            self._refused.remember(token)
            raise
        finally:
            self._questions.release()
        # The signature holds, so the claims do; what the owner says of the user is newer in the answer.
        return identity_of({**claims, "sub": user.id, "app_metadata": user.app_metadata}, token, self._rules)


class _RefusedTokens:
    """The tokens that Supabase refused lately, by hash."""

    _SECONDS = 60.0
    _MAX_COUNT = 10_000

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def require_unknown(self, token: str) -> None:
        """Raises Unauthenticated for one that was refused."""
        with self._lock:
            until = self._until.get(_digest(token), 0.0)
        if self._monotonic() < until:
            raise Unauthenticated("Supabase does not accept the access token.", code="TOKEN_INVALID")

    def remember(self, token: str) -> None:
        with self._lock:
            self._until[_digest(token)] = self._monotonic() + self._SECONDS
            if len(self._until) > self._MAX_COUNT:
                self._until.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
