"""What a Supabase access token must say, whoever vouches for its signature. Pure but for the clock in PyJWT.

The keys that sign access tokens sign other things too: ID tokens for other audiences, the public anon key, the
service_role key, signed URLs. Only the claims keep those out.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from orchestrator.domain.errors import Unauthenticated
from orchestrator.domain.identity import Identity

LEEWAY_SECONDS = 30  # as much as Supabase's own Data API grants
MAX_TOKEN_LENGTH = 16 * 1024
_AUTHENTICATED = "authenticated"  # both the audience and the Postgres role of a signed-in user
_REQUIRED = ("exp", "sub", "aud", "role")
_FAR_AHEAD = 4_102_444_800  # the year 2100
_UNREADABLE = (jwt.PyJWTError, ValueError)  # the latter for text that is no UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    issuer: str | None  # exact; None: not looked at
    are_anonymous_users_allowed: bool = False
    are_oauth_clients_allowed: bool = False


def header_of(token: str) -> dict[str, Any]:
    """The token's header, which nobody has vouched for. Raises Unauthenticated."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise _invalid("is too long")
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except _UNREADABLE as error:
        raise _invalid("cannot be read") from error
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise _invalid("is not an access token")
    return header


def verified_claims(token: str, key: jwt.PyJWK, rules: ClaimRules) -> dict[str, Any]:
    """The claims once signature, times, audience and issuer are right. Raises Unauthenticated.

    The algorithm is the key's own, whatever the token says: a public key is never taken for a shared secret.
    """
    return _decode(token, key, [key.algorithm_name], rules, is_signature_checked=True)


def unverified_claims(token: str, rules: ClaimRules) -> dict[str, Any]:
    """The claims once all but the signature is right. Raises Unauthenticated."""
    return _decode(token, "", (), rules, is_signature_checked=False)


def identity_of(claims: dict[str, Any], token: str, rules: ClaimRules) -> Identity:
    """Raises Unauthenticated for a token that is genuine but not a user's."""
    if claims["role"] != _AUTHENTICATED:
        raise _invalid("is not that of a signed-in user")
    if claims.get("is_anonymous", False) is not False and not rules.are_anonymous_users_allowed:
        raise _invalid("is that of an anonymous user, and those may not use this installation")
    if "client_id" in claims and not rules.are_oauth_clients_allowed:
        raise _invalid("was issued to another application, and those may not use this installation")
    # Users write user_metadata themselves; app_metadata only the project's owner can.
    app_metadata = claims.get("app_metadata")
    is_admin = isinstance(app_metadata, dict) and app_metadata.get("role") == "admin"
    return Identity(_user_id(claims["sub"]), is_admin=is_admin, access_token=token, expires_at=_instant(claims["exp"]))


def _decode(
    token: str, key: Any, algorithms: Sequence[str], rules: ClaimRules, *, is_signature_checked: bool
) -> dict[str, Any]:
    options: Any = {
        "require": [*_REQUIRED, "iss"] if rules.issuer else list(_REQUIRED),
        "verify_signature": is_signature_checked,
        # All of them are switched off along with the signature unless they are named.
        **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_sub", "strict_aud"), True),
        "verify_iss": rules.issuer is not None,
    }
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=_AUTHENTICATED,
            issuer=rules.issuer,
            leeway=LEEWAY_SECONDS,
            options=options,
        )
    except jwt.ExpiredSignatureError as error:
        raise Unauthenticated("The access token has expired. Sign in again.", code="TOKEN_EXPIRED") from error
    except _UNREADABLE as error:
        raise _invalid("is not valid for this installation") from error
    return claims


def _user_id(subject: str) -> str:
    try:
        user_id = str(uuid.UUID(subject))
    except ValueError as error:
        raise _invalid("names no user") from error
    if user_id != subject.lower():  # UUID() also reads braces, a missing hyphen and urn:uuid:
        raise _invalid("names no user")
    return user_id


def _instant(seconds: float) -> datetime:
    """Unix time, far ahead at most: a claim may be any number."""
    return datetime.fromtimestamp(min(int(seconds), _FAR_AHEAD), UTC)


def _invalid(why: str) -> Unauthenticated:
    return Unauthenticated(f"The access token {why}.", code="TOKEN_INVALID")
