"""AuditLog over SQL, and the one way in which other stores write an entry along with their own rows."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import audit_log
from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.ports.audit_log import AuditPage


class SqlAuditLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry) -> None:
        with self._database.write() as connection:
            insert_audit_entry(connection, entry)

    def list(self, *, page: int = 1, page_size: int = 50) -> AuditPage:
        newest = sa.select(audit_log).order_by(audit_log.c.id.desc()).limit(page_size).offset((page - 1) * page_size)
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(audit_log))
            return AuditPage(tuple(_entry_from(row) for row in connection.execute(newest).mappings()), total or 0)


def insert_audit_entry(connection: sa.Connection, entry: AuditEntry) -> None:
    """Within a transaction that somebody else began."""
    connection.execute(
        audit_log.insert().values(
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            message=entry.message,
            data=entry.data,
            created_at=entry.at,
        )
    )


def _entry_from(row: sa.RowMapping) -> AuditEntry:
    return AuditEntry(
        id=row["id"],
        actor=row["actor"],
        action=AuditAction(row["action"]),
        subject=row["subject"],
        message=row["message"],
        data=row["data"],
        at=row["created_at"],
    )
