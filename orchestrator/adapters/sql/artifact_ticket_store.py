"""ArtifactTicketStore over SQL."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import artifact_tickets
from orchestrator.domain.identity import ArtifactTicket


class SqlArtifactTicketStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ticket: ArtifactTicket, *, now: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(artifact_tickets.delete().where(artifact_tickets.c.expires_at <= now))
            connection.execute(artifact_tickets.insert().values(dataclasses.asdict(ticket)))

    def use(self, ticket_hash: str, artifact_id: str, *, now: datetime) -> ArtifactTicket | None:
        column = artifact_tickets.c
        use = (
            artifact_tickets.update()
            .where(column.ticket_hash == ticket_hash, column.artifact_id == artifact_id, column.expires_at > now)
            .values(expires_at=column.resumable_until)
        )
        with self._database.write() as connection:
            row = connection.execute(use.returning(*column)).mappings().one_or_none()
        return ArtifactTicket(**row) if row is not None else None
