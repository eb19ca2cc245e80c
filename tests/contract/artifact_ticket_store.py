"""What every ArtifactTicketStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.identity import ArtifactTicket
from orchestrator.ports.artifact_ticket_store import ArtifactTicketStore
from tests.factories import NOW

ARTIFACT = "7f9c1d7e-0000-4000-8000-000000000001"
SOON, LATER = NOW + timedelta(seconds=30), NOW + timedelta(hours=1)
TICKET = ArtifactTicket(
    ticket_hash="a" * 64,
    user_id="user-1",
    is_admin=True,
    artifact_id=ARTIFACT,
    expires_at=SOON,
    resumable_until=LATER,
)


class ArtifactTicketStoreContract:
    @pytest.fixture
    def store(self) -> ArtifactTicketStore:
        """An empty one."""
        raise NotImplementedError

    def test_a_ticket_that_was_used_in_time_goes_on_and_then_ends(self, store):
        store.add(TICKET, now=NOW)
        used = replace(TICKET, expires_at=LATER)

        assert store.use("a" * 64, ARTIFACT, now=NOW) == used
        assert store.use("a" * 64, ARTIFACT, now=LATER - timedelta(seconds=1)) == used
        assert store.use("a" * 64, ARTIFACT, now=LATER) is None

    def test_a_ticket_that_nobody_used_in_time_is_none(self, store):
        store.add(TICKET, now=NOW)

        assert store.use("a" * 64, ARTIFACT, now=SOON) is None

    def test_neither_is_an_unknown_one_nor_one_for_another_artifact(self, store):
        store.add(TICKET, now=NOW)

        assert store.use("b" * 64, ARTIFACT, now=NOW) is None
        assert store.use("a" * 64, ARTIFACT.replace("1", "2"), now=NOW) is None

    def test_the_next_ticket_sweeps_away_those_that_have_expired_and_no_others(self, store):
        for name in "ab":
            store.add(replace(TICKET, ticket_hash=name * 64), now=NOW)
        store.use("a" * 64, ARTIFACT, now=NOW)
        store.add(replace(TICKET, ticket_hash="c" * 64, expires_at=LATER), now=SOON)

        assert store.use("a" * 64, ARTIFACT, now=NOW) is not None
        assert store.use("b" * 64, ARTIFACT, now=NOW) is None
