"""What every TokenStore does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.audit import OPERATOR, AuditAction, AuditEntry
from orchestrator.domain.identity import ApiToken
from orchestrator.ports.token_store import TokenStore
from tests.factories import NOW


class TokenStoreContract:
    @pytest.fixture
    def store(self) -> TokenStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.mark.parametrize("expires_at", [None, NOW + timedelta(days=1)])
    def test_a_token_is_found_by_its_hash(self, store, expires_at):
        token = ApiToken(token_hash="a" * 64, user_id="user-1", is_admin=True, created_at=NOW, expires_at=expires_at)
        store.add(
            token,
            AuditEntry(actor=OPERATOR, action=AuditAction.TOKEN_CREATED, subject="user-1", message="Made.", at=NOW),
        )

        assert store.find("a" * 64) == token

    def test_an_unknown_hash_finds_nothing(self, store):
        assert store.find("b" * 64) is None
