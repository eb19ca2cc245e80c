"""The rows that diagnostic jobs bring, beside the jobs' own, which lists read whole."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables import diagnostic_tables
from orchestrator.domain.diagnostic import DiagnosticTable


def insert_table(connection: sa.Connection, job_id: str, table: DiagnosticTable) -> None:
    """Within the transaction that stores the job."""
    row = {"job_id": job_id, "name": table.name, "content": table.content}
    connection.execute(diagnostic_tables.insert().values(row))


def select_table(connection: sa.Connection, job_id: str) -> DiagnosticTable | None:
    query = sa.select(diagnostic_tables.c.name, diagnostic_tables.c.content)
    row = connection.execute(query.where(diagnostic_tables.c.job_id == job_id)).one_or_none()
    return DiagnosticTable(row.name, row.content) if row is not None else None
