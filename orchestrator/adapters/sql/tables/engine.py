"""What the orchestrator knows of its machine, and who orchestrates."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata

engine_status = sa.Table(
    "engine_status",
    metadata,
    # One row: the orchestrator that works on this store.
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("last_pass_at", Instant, nullable=False),
    sa.Column("unreachable_since", Instant),
    sa.Column("engine_id", sa.Text),
    sa.Column("is_image_present", sa.Boolean, nullable=False),
    sa.Column("image_digest", sa.Text),
    sa.Column("devices", Json, nullable=False),
    sa.Column("device_memory", Json, nullable=False, server_default="{}"),
    sa.Column("problem", sa.Text),
    sa.CheckConstraint("id = 1", name="single_row"),
)

suspect_devices = sa.Table(
    "suspect_devices",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("suspect_since", Instant, nullable=False),
)

# One row: who orchestrates. `term` grows with every change of hands; a write of an older term is refused.
leadership = sa.Table(
    "leadership",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("term", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("acquired_at", Instant, nullable=False),
    sa.CheckConstraint("id = 1", name="single_row"),
)
