"""Tickets for downloads: how long they are worth something, and for what."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from orchestrator.adapters.sql import SqlArtifactTicketStore
from orchestrator.adapters.sql.tables import artifact_tickets
from orchestrator.domain.errors import Unauthenticated
from orchestrator.domain.identity import Identity
from orchestrator.services.artifact_tickets import ArtifactTickets
from tests.unit.services.world import ADMIN, ALICE

ARTIFACT, OTHER = (str(uuid.uuid4()) for _ in range(2))


@pytest.fixture
def tickets(world, database):
    return ArtifactTickets(store=SqlArtifactTicketStore(database), clock=world.clock)


def _assert_refused(tickets, ticket, artifact_id=ARTIFACT):
    with pytest.raises(Unauthenticated) as refused:
        tickets.redeem(ticket, artifact_id)
    assert refused.value.code == "TICKET_INVALID"
    assert ticket not in refused.value.message or not ticket


def test_a_ticket_stands_for_whoever_got_it(tickets):
    for identity in (ALICE, ADMIN):
        assert tickets.redeem(tickets.issue(identity, ARTIFACT).ticket, ARTIFACT) == identity


def test_a_ticket_that_is_not_used_is_worthless_after_thirty_seconds(world, tickets):
    issued = tickets.issue(ALICE, ARTIFACT)
    assert issued.expires_at == world.clock.now() + timedelta(seconds=30)

    world.clock.advance(30)

    _assert_refused(tickets, issued.ticket)


def test_one_that_is_used_fetches_the_rest_for_an_hour(world, tickets):
    ticket = tickets.issue(ALICE, ARTIFACT).ticket
    tickets.redeem(ticket, ARTIFACT)

    world.clock.advance(3_599)
    assert tickets.redeem(ticket, ARTIFACT) == ALICE
    world.clock.advance(1)
    _assert_refused(tickets, ticket)


def test_none_outlives_the_token_that_it_stands_for(world, tickets):
    for seconds in (10, 60):
        token_ends_at = world.clock.now() + timedelta(seconds=seconds)
        issued = tickets.issue(Identity("alice", expires_at=token_ends_at), ARTIFACT)
        assert issued.expires_at <= token_ends_at
        tickets.redeem(issued.ticket, ARTIFACT)
        world.clock.advance(seconds)
        _assert_refused(tickets, issued.ticket)


def test_a_ticket_opens_one_artifact_and_survives_trying_another(tickets):
    ticket = tickets.issue(ALICE, ARTIFACT).ticket

    _assert_refused(tickets, ticket, OTHER)
    assert tickets.redeem(ticket, ARTIFACT) == ALICE


@pytest.mark.parametrize("ticket", ["", "x", "\ud800", "lorry_token"])
def test_what_is_no_ticket_is_refused(tickets, ticket):
    _assert_refused(tickets, ticket)


def test_the_ticket_itself_is_neither_stored_nor_shown(tickets, database):
    issued = tickets.issue(ALICE, ARTIFACT)

    assert issued.ticket not in repr(issued)
    with database.read() as connection:
        (row,) = connection.execute(artifact_tickets.select()).all()
    assert issued.ticket not in str(row)
