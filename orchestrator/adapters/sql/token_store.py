"""TokenStore over SQL."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from orchestrator.adapters.sql.audit_log import insert_audit_entry
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import api_tokens, artifact_tickets, stream_tickets
from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.identity import ApiToken

# Made once: every request asks it, and making a statement takes longer than its answer.
_FIND = sa.select(api_tokens).where(api_tokens.c.token_hash == sa.bindparam("token_hash"))


class SqlTokenStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: ApiToken, audit: AuditEntry) -> None:
        with self._database.write() as connection:
            connection.execute(api_tokens.insert().values(dataclasses.asdict(token)))
            insert_audit_entry(connection, audit)

    def remove_of(self, user_id: str, audit: AuditEntry) -> int:
        with self._database.write() as connection:
            removed = connection.execute(api_tokens.delete().where(api_tokens.c.user_id == user_id)).rowcount
            for tickets in (stream_tickets, artifact_tickets):
                connection.execute(tickets.delete().where(tickets.c.user_id == user_id))
            insert_audit_entry(connection, audit)
        return removed

    def exchange(self, code_hash: str, token: ApiToken) -> bool:
        with self._database.write() as connection:
            taken = connection.execute(api_tokens.delete().where(api_tokens.c.token_hash == code_hash)).rowcount
            if taken:
                connection.execute(api_tokens.insert().values(dataclasses.asdict(token)))
        return bool(taken)

    def find(self, token_hash: str) -> ApiToken | None:
        with self._database.look() as connection:
            row = connection.execute(_FIND, {"token_hash": token_hash}).mappings().one_or_none()
        return ApiToken(**row) if row is not None else None
