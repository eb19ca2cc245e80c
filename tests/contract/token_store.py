"""What every TokenStore does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.audit import OPERATOR, AuditAction, AuditEntry
from orchestrator.domain.identity import ApiToken
from orchestrator.ports.token_store import TokenStore
from tests.factories import NOW


def _audit(action):
    return AuditEntry(actor=OPERATOR, action=action, subject="user-1", message="Done.", at=NOW)


class TokenStoreContract:
    @pytest.fixture
    def store(self) -> TokenStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.mark.parametrize("expires_at", [None, NOW + timedelta(days=1)])
    def test_a_token_is_found_by_its_hash(self, store, expires_at):
        token = ApiToken(token_hash="a" * 64, user_id="user-1", is_admin=True, created_at=NOW, expires_at=expires_at)
        store.add(token, _audit(AuditAction.TOKEN_CREATED))

        assert store.find("a" * 64) == token

    def test_all_tokens_of_a_user_are_forgotten_and_nobody_elses(self, store):
        for number, user_id in enumerate(("user-1", "user-1", "user-2")):
            token = ApiToken(
                token_hash=str(number) * 64, user_id=user_id, is_admin=False, created_at=NOW, expires_at=None
            )
            store.add(token, _audit(AuditAction.TOKEN_CREATED))

        assert store.remove_of("user-1", _audit(AuditAction.TOKENS_REVOKED)) == 2
        assert store.remove_of("user-1", _audit(AuditAction.TOKENS_REVOKED)) == 0
        assert store.find("0" * 64) is None
        assert store.find("2" * 64) is not None

    def test_a_code_is_exchanged_for_a_token_once(self, store):
        code = ApiToken(token_hash="c" * 64, user_id="user-1", is_admin=False, created_at=NOW, expires_at=NOW)
        store.add(code, _audit(AuditAction.SIGN_IN_LINK_CREATED))
        first, second = (
            ApiToken(token_hash=letter * 64, user_id="user-1", is_admin=False, created_at=NOW, expires_at=None)
            for letter in "de"
        )

        assert store.exchange("c" * 64, first)
        assert not store.exchange("c" * 64, second)
        assert (store.find("c" * 64), store.find("d" * 64), store.find("e" * 64)) == (None, first, None)

    def test_an_unknown_hash_finds_nothing(self, store):
        assert store.find("b" * 64) is None
