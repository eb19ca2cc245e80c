"""Issuing bearer tokens and telling who holds one. The token itself is never stored."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from datetime import timedelta

from orchestrator.domain.audit import OPERATOR, AuditAction, AuditEntry
from orchestrator.domain.errors import Unauthenticated
from orchestrator.domain.identity import ApiToken, Identity
from orchestrator.ports.clock import Clock
from orchestrator.ports.token_store import TokenStore
from orchestrator.ports.token_verifier import TokenVerifier

TOKEN_PREFIX = "lorry_"  # noqa: S105 - a visible mark, so that leaked tokens can be found; not a secret
# What a sign-in link carries. Without the mark of a token, so that it is good for nothing but its one exchange.
CODE_PREFIX = "once_"
CODE_LIFETIME = timedelta(minutes=30)
SIGNED_IN_LIFETIME = timedelta(days=7)


class LorryTokens:
    """TokenVerifier over Lorry's own tokens: 256 random bits, kept as sha256."""

    def __init__(self, *, store: TokenStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def issue(self, user_id: str, *, is_admin: bool = False, ttl: timedelta | None = None) -> str:
        """A new token; this is the only time anybody sees it. `ttl` None never expires."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        stored = ApiToken(
            token_hash=_digest(token),
            user_id=user_id,
            is_admin=is_admin,
            created_at=now,
            expires_at=now + ttl if ttl is not None else None,
        )
        self._store.add(stored, _creation(stored))
        return token

    def issue_code(self, user_id: str, *, is_admin: bool = False) -> str:
        """What `exchange` takes once, for as long as CODE_LIFETIME, in place of a token that somebody would type in."""
        code = CODE_PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        stored = ApiToken(
            token_hash=_digest(code),
            user_id=user_id,
            is_admin=is_admin,
            created_at=now,
            expires_at=now + CODE_LIFETIME,
        )
        self._store.add(stored, _link_creation(stored))
        return code

    def exchange(self, code: str) -> str:
        """A token for the code of a sign-in link, valid for SIGNED_IN_LIFETIME. Raises Unauthenticated."""
        known = self._store.find(_digest(code)) if code.startswith(CODE_PREFIX) else None
        now = self._clock.now()
        if known is not None and known.expires_at is not None and now < known.expires_at:
            token = TOKEN_PREFIX + secrets.token_urlsafe(32)
            stored = dataclasses.replace(
                known, token_hash=_digest(token), created_at=now, expires_at=now + SIGNED_IN_LIFETIME
            )
            if self._store.exchange(known.token_hash, stored):
                return token
        raise Unauthenticated(
            "This sign-in link was used already or has expired. Ask for a new one.", code="SIGN_IN_LINK_INVALID"
        )

    def revoke(self, user_id: str) -> int:
        """Make all tokens of a user worthless, from the next request on, and end the user's streams; how many there
        were."""
        entry = AuditEntry(
            actor=OPERATOR,
            action=AuditAction.TOKENS_REVOKED,
            subject=user_id,
            message="All tokens were revoked.",
            at=self._clock.now(),
        )
        return self._store.remove_of(user_id, entry)

    def verify(self, token: str) -> Identity:
        known = self._store.find(_digest(token)) if is_own_token(token) else None
        if known is None:
            raise Unauthenticated("The bearer token is not known here.", code="TOKEN_INVALID")
        if known.expires_at is not None and known.expires_at <= self._clock.now():
            raise Unauthenticated("The bearer token has expired. Ask for a new one.", code="TOKEN_EXPIRED")
        return Identity(known.user_id, is_admin=known.is_admin, expires_at=known.expires_at)


def is_own_token(token: str) -> bool:
    """Whether it carries Lorry's mark; nothing is said of whether it is a good one."""
    return token.startswith(TOKEN_PREFIX)


class EitherToken:
    """TokenVerifier over Lorry's own tokens and those of another system, told apart by the mark that ours carry."""

    def __init__(self, *, own: TokenVerifier, other: TokenVerifier) -> None:
        self._own = own
        self._other = other

    def verify(self, token: str) -> Identity:
        return (self._own if is_own_token(token) else self._other).verify(token)


def _creation(token: ApiToken) -> AuditEntry:
    kind = "An administrator's token" if token.is_admin else "A token"
    until = f" until {token.expires_at.isoformat(timespec='seconds')}" if token.expires_at is not None else ""
    return AuditEntry(
        actor=OPERATOR,
        action=AuditAction.TOKEN_CREATED,
        subject=token.user_id,
        message=f"{kind} was created, valid{until or ' for ever'}.",
        data={"is_admin": token.is_admin},
        at=token.created_at,
    )


def _link_creation(code: ApiToken) -> AuditEntry:
    return AuditEntry(
        actor=OPERATOR,
        action=AuditAction.SIGN_IN_LINK_CREATED,
        subject=code.user_id,
        message="A sign-in link was created for an administrator." if code.is_admin else "A sign-in link was created.",
        data={"is_admin": code.is_admin},
        at=code.created_at,
    )


def _digest(token: str) -> str:
    # A header may hold half a surrogate pair: that is an unknown token, not a crash.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
