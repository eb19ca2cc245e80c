"""One-time tickets: who gets one, and how often it opens what."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.adapters.sql import SqlTicketStore
from orchestrator.adapters.sql.tables import stream_tickets
from orchestrator.domain.errors import NotFound, Unauthenticated
from orchestrator.domain.identity import Identity
from orchestrator.services.tickets import Tickets
from tests.unit.services.world import ADMIN, ALICE, BOB


@pytest.fixture
def tickets(world, database):
    return Tickets(store=SqlTicketStore(database), jobs=world.store, clock=world.clock)


def _assert_refused(tickets, ticket, job_id):
    with pytest.raises(Unauthenticated) as refused:
        tickets.redeem(ticket, job_id)
    assert refused.value.code == "TICKET_INVALID"
    assert ticket not in refused.value.message


def test_a_ticket_stands_for_whoever_got_it(world, tickets):
    expires_at = world.clock.now() + timedelta(hours=1)
    issued = tickets.issue(Identity("alice", is_admin=True, expires_at=expires_at), None)

    redeemed = tickets.redeem(issued.ticket, None)

    assert (redeemed.user_id, redeemed.is_admin, redeemed.expires_at) == ("alice", True, expires_at)


def test_a_ticket_opens_one_stream_once(world, tickets):
    job_id = world.submit()
    ticket = tickets.issue(ALICE, job_id).ticket

    assert tickets.redeem(ticket, job_id) == ALICE
    _assert_refused(tickets, ticket, job_id)


def test_a_ticket_for_one_stream_opens_no_other_and_is_used_up_by_trying(world, tickets):
    one, other = world.submit(), world.submit()
    for wrong in (other, None):
        ticket = tickets.issue(ALICE, one).ticket
        _assert_refused(tickets, ticket, wrong)
        _assert_refused(tickets, ticket, one)
    _assert_refused(tickets, tickets.issue(ALICE, None).ticket, one)


def test_a_ticket_is_worthless_after_thirty_seconds(world, tickets):
    issued = tickets.issue(ALICE, None)
    assert issued.expires_at == world.clock.now() + timedelta(seconds=30)

    world.clock.advance(30)

    _assert_refused(tickets, issued.ticket, None)


def test_nobody_gets_a_ticket_for_anothers_job_but_administrators(world, tickets):
    job_id = world.submit()

    with pytest.raises(NotFound):
        tickets.issue(BOB, job_id)
    assert tickets.redeem(tickets.issue(ADMIN, job_id).ticket, job_id) == ADMIN


@pytest.mark.parametrize("ticket", ["", "x", "\ud800", "lorry_token"])
def test_what_is_no_ticket_is_refused(tickets, ticket):
    with pytest.raises(Unauthenticated):
        tickets.redeem(ticket, None)


def test_the_ticket_itself_is_neither_stored_nor_shown(tickets, database):
    issued = tickets.issue(ALICE, None)

    assert issued.ticket not in repr(issued)
    with database.read() as connection:
        (row,) = connection.execute(stream_tickets.select()).all()
    assert issued.ticket not in str(row)
