"""Rows of artifacts that are trained weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from orchestrator.adapters.sql.tables import artifacts, training_jobs
from orchestrator.domain.artifact import ArtifactKind, checkpoint_folders

_WEIGHTS = sa.or_(
    artifacts.c.kind.in_((ArtifactKind.ADAPTER, ArtifactKind.MODEL)),
    sa.and_(artifacts.c.kind == ArtifactKind.CHECKPOINT, artifacts.c.path.endswith(".safetensors")),
)
_CHECKPOINTS = sa.select(artifacts.c.job_id, artifacts.c.path).where(
    artifacts.c.job_id.in_(sa.bindparam("job_ids", expanding=True)),
    # Written out, for a planner that is to choose the index of checkpoints has to see it.
    artifacts.c.kind == sa.literal_column(f"'{ArtifactKind.CHECKPOINT}'"),
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


def checkpoints_of(connection: sa.Connection, job_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Folder names of the checkpoints that are kept of each job, oldest step first; a job without any is left out."""
    paths: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(_CHECKPOINTS, {"job_ids": list(job_ids)}):
        paths[row.job_id].append(row.path)
    return {job_id: tuple(checkpoint_folders(found)) for job_id, found in paths.items()}
