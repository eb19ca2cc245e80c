"""Rows of artifacts, read for a page of assets."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables import artifacts, training_jobs
from orchestrator.domain.artifact import ArtifactKind

_WEIGHTS = sa.or_(
    artifacts.c.kind.in_((ArtifactKind.ADAPTER, ArtifactKind.MODEL)),
    sa.and_(artifacts.c.kind == ArtifactKind.CHECKPOINT, artifacts.c.path.endswith(".safetensors")),
)


def trained_files_of(user_id: str) -> sa.Select[tuple[str]]:
    """Ids of the artifacts that are somebody's trained weights, each path once."""
    newer = artifacts.alias("newer")
    is_superseded = sa.exists().where(
        newer.c.job_id == artifacts.c.job_id,
        newer.c.path == artifacts.c.path,
        newer.c.attempt > artifacts.c.attempt,
    )
    return (
        sa.select(artifacts.c.id)
        .join(training_jobs, training_jobs.c.id == artifacts.c.job_id)
        .where(training_jobs.c.user_id == user_id, training_jobs.c.deleted_at.is_(None), _WEIGHTS, ~is_superseded)
    )
