"""Lorry's own tokens, kept as hashes."""

from __future__ import annotations

from typing import Protocol

from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.identity import ApiToken


class TokenStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def add(self, token: ApiToken, audit: AuditEntry) -> None:
        """Store a token and who had it made, at once."""

    def remove_of(self, user_id: str, audit: AuditEntry) -> int:
        """Forget all tokens of a user and store who had that done, at once; how many there were."""

    def exchange(self, code_hash: str, token: ApiToken) -> bool:
        """Put `token` in the place of what is stored under `code_hash`, at once; False when nothing is (any more)."""

    def find(self, token_hash: str) -> ApiToken | None: ...
