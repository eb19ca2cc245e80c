"""What administrators see of the machine's containers, and what they decided."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata

# The orchestrator's last look at each container of ours; the API half has no other way to know.
container_samples = sa.Table(
    "container_samples",
    metadata,
    sa.Column("container_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("image", sa.Text),
    sa.Column("image_digest", sa.Text),
    sa.Column("mounts", Json, nullable=False),
    sa.Column("limits", Json, nullable=False),
    sa.Column("cpu_percent", sa.Float),
    sa.Column("memory_bytes", sa.BigInteger),
    sa.Column("pids", sa.Integer),
    sa.Column("created_at", Instant),
    sa.Column("started_at", Instant),
    sa.Column("sampled_at", Instant, nullable=False),
)

# One row while no job is to start; none otherwise.
maintenance = sa.Table(
    "maintenance",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.CheckConstraint("id = 1", name="single_row"),
)

# Users whose limit is not the installation's.
user_limits = sa.Table(
    "user_limits",
    metadata,
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("max_active_jobs", sa.Integer, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.CheckConstraint("max_active_jobs BETWEEN 0 AND 64", name="max_active_jobs"),
)
