"""What every TicketStore does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.identity import StreamTicket
from orchestrator.ports.ticket_store import TicketStore
from tests.factories import NOW

TICKET = StreamTicket(
    ticket_hash="a" * 64,
    user_id="user-1",
    is_admin=True,
    job_id="7f9c1d7e-0000-4000-8000-000000000001",
    expires_at=NOW + timedelta(seconds=30),
    token_expires_at=NOW + timedelta(hours=1),
)


class TicketStoreContract:
    @pytest.fixture
    def store(self) -> TicketStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.mark.parametrize("ticket", [TICKET, replace(TICKET, job_id=None, token_expires_at=None)])
    def test_a_ticket_is_taken_as_it_was_stored(self, store, ticket):
        store.add(ticket, now=NOW)

        assert store.take("a" * 64) == ticket

    def test_a_ticket_is_taken_once(self, store):
        store.add(TICKET, now=NOW)

        assert store.take("a" * 64) is not None
        assert store.take("a" * 64) is None

    def test_of_many_who_take_a_ticket_at_once_one_gets_it(self, store):
        store.add(TICKET, now=NOW)

        with ThreadPoolExecutor(8) as takers:
            taken = list(takers.map(lambda _: store.take("a" * 64), range(8)))

        assert [ticket for ticket in taken if ticket is not None] == [TICKET]

    def test_an_unknown_one_is_none(self, store):
        store.add(TICKET, now=NOW)

        assert store.take("b" * 64) is None

    def test_the_next_ticket_sweeps_away_those_that_were_not_used_in_time(self, store):
        store.add(TICKET, now=NOW)
        later = NOW + timedelta(seconds=31)
        store.add(replace(TICKET, ticket_hash="b" * 64, expires_at=later + timedelta(seconds=30)), now=later)

        assert store.take("a" * 64) is None
        assert store.take("b" * 64) is not None
