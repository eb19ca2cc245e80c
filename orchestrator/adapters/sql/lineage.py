"""Rows of lineage, and of the registered version that a lineage ends with; each within the caller's transaction."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from orchestrator.adapters.sql.rows import lineage_row
from orchestrator.adapters.sql.tables import models, training_lineage
from orchestrator.domain.artifact import Artifact
from orchestrator.domain.lineage import Lineage


def record_lineage(connection: sa.Connection, lineage: Lineage) -> None:
    """In place of an earlier attempt's."""
    row = lineage_row(lineage)
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    statement = insert(training_lineage).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["job_id"], set_=row))


def record_adapter(connection: sa.Connection, adapter: Artifact, *, at: datetime) -> None:
    """The version that was reserved for the artifact's job is now this file."""
    of_job = sa.and_(models.c.job_id == adapter.job_id, models.c.step.is_(None))
    facts = {"artifact_id": adapter.id, "sha256": adapter.sha256, "size_bytes": adapter.size_bytes}
    connection.execute(models.update().where(of_job).values(registered_at=at, **facts))
    lineage = training_lineage.update().where(training_lineage.c.job_id == adapter.job_id)
    connection.execute(lineage.values(adapter_sha256=adapter.sha256))


def forget_version(connection: sa.Connection, job_id: str, *, at: datetime) -> None:
    """Of a job that is about to be removed: only its versions' numbers remain, so that no other gets them."""
    connection.execute(models.update().where(models.c.job_id == job_id).values(deleted_at=at))
