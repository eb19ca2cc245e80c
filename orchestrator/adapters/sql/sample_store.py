"""SampleStore over SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.record_store import artifact_from
from orchestrator.adapters.sql.tables import artifacts
from orchestrator.domain.artifact import Artifact

# Written out, for a planner that is to choose the index of those has to see it.
_IS_UNSEEN = sa.text("kind = 'sample' AND is_showable IS NULL")


class SqlSampleStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def unseen(self, limit: int) -> Sequence[Artifact]:
        query = sa.select(artifacts).where(_IS_UNSEEN).order_by(artifacts.c.created_at, artifacts.c.id).limit(limit)
        with self._database.look() as connection:
            return [artifact_from(row) for row in connection.execute(query).mappings()]

    def note(self, findings: Mapping[str, bool]) -> None:
        with self._database.write() as connection:
            for is_showable in (True, False):
                ids = [artifact_id for artifact_id, found in findings.items() if found is is_showable]
                if ids:
                    noted = artifacts.update().where(artifacts.c.id.in_(ids))
                    connection.execute(noted.values(is_showable=is_showable))
