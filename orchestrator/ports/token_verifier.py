"""Telling who holds a bearer token."""

from __future__ import annotations

from typing import Protocol

from orchestrator.domain.identity import Identity


class TokenVerifier(Protocol):
    def verify(self, token: str) -> Identity:
        """Raises Unauthenticated with a sentence that never contains the token.

        Raises StoreUnavailable or IdentityUnavailable when nobody can tell right now: never Unauthenticated then, which
        would sign people out.
        """


class IdentityProvider(Protocol):
    def check(self) -> None:
        """Raises IdentityUnavailable while nobody's token could be told. Cheap: made to be called by every probe."""
