"""TicketStore over SQL."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import stream_tickets
from orchestrator.domain.identity import StreamTicket


class SqlTicketStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ticket: StreamTicket, *, now: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(stream_tickets.delete().where(stream_tickets.c.expires_at <= now))
            connection.execute(stream_tickets.insert().values(dataclasses.asdict(ticket)))

    def take(self, ticket_hash: str) -> StreamTicket | None:
        one = stream_tickets.delete().where(stream_tickets.c.ticket_hash == ticket_hash)
        with self._database.write() as connection:
            row = connection.execute(one.returning(*stream_tickets.c)).mappings().one_or_none()
        return StreamTicket(**row) if row is not None else None
