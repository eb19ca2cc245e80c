"""Which kind of key somebody configured, read off the key itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

# Every local Supabase that was never configured signs with this one: whoever has read its documentation can forge.
DEFAULT_LOCAL_SECRET = b"super-secret-jwt-token-with-at-least-32-characters-long"
_SECRET_PREFIX = "sb_secret_"  # noqa: S105 - a visible mark, not a secret


def problem_of_key(publishable_key: str, *, is_reachable_by_others: bool) -> str | None:
    """Why this key must not be used as the publishable one, or None."""
    if not publishable_key:
        return "it is not set. Copy the publishable (or anon) key from the project's API settings"
    if publishable_key.startswith(_SECRET_PREFIX) or _payload(publishable_key).get("role") == "service_role":
        return (
            "it is the secret key, to which no row level security applies. "
            "Use the publishable (or anon) key of the project's API settings"
        )
    if is_reachable_by_others and _is_signed_with(DEFAULT_LOCAL_SECRET, publishable_key):
        return (
            "it is signed with the default secret of a local Supabase, which everybody knows, so everybody can forge "
            "tokens. Give that Supabase a secret of its own, or let Lorry listen on 127.0.0.1 only"
        )
    return None


def _payload(key: str) -> dict[str, Any]:
    """The claims of a legacy key, which is a JWT; empty for any other."""
    parts = key.split(".")
    try:
        claims = json.loads(_decoded(parts[1])) if len(parts) == 3 else {}  # noqa: PLR2004 - header, payload, signature
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _is_signed_with(secret: bytes, key: str) -> bool:
    signed, _, signature = key.rpartition(".")
    try:
        return hmac.compare_digest(hmac.digest(secret, signed.encode(), hashlib.sha256), _decoded(signature))
    except (ValueError, binascii.Error):
        return False


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
