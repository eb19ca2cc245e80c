"""What the job engine remembers: retries, memory profiles, stops, exact log positions, leadership, audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("training_jobs") as jobs:
        jobs.add_column(sa.Column("gpus", sa.Integer(), nullable=False, server_default="1"))
        jobs.add_column(sa.Column("max_runtime_seconds", sa.Integer(), nullable=True))
        jobs.add_column(sa.Column("retries", sa.Integer(), nullable=False, server_default="0"))
        jobs.add_column(sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
        jobs.add_column(sa.Column("memory_profile", sa.Text(), nullable=False, server_default="normal"))
        jobs.add_column(sa.Column("resume_from", sa.Text(), nullable=True))
        jobs.create_check_constraint(
            "cancelled_is_not_queued", "NOT (status = 'queued' AND cancel_requested_at IS NOT NULL)"
        )
        jobs.create_check_constraint("gpus", "gpus BETWEEN 1 AND 16")
    with op.batch_alter_table("training_attempts") as attempts:
        attempts.add_column(sa.Column("events_bytes", sa.BigInteger(), nullable=False, server_default="0"))
        attempts.add_column(sa.Column("history_rows", sa.Integer(), nullable=False, server_default="0"))
        attempts.add_column(sa.Column("log_since_count", sa.Integer(), nullable=False, server_default="0"))
        attempts.add_column(sa.Column("log_bytes", sa.BigInteger(), nullable=False, server_default="0"))
        attempts.add_column(sa.Column("stop_reason", sa.Text(), nullable=True))
        attempts.add_column(sa.Column("kill_count", sa.Integer(), nullable=False, server_default="0"))
        attempts.add_column(sa.Column("killed_at", sa.DateTime(timezone=True), nullable=True))
        attempts.add_column(sa.Column("memory_profile", sa.Text(), nullable=False, server_default="normal"))
        attempts.add_column(sa.Column("resume_from", sa.Text(), nullable=True))
        attempts.add_column(sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True))
        attempts.add_column(sa.Column("engine_missed_at", sa.DateTime(timezone=True), nullable=True))
        attempts.add_column(sa.Column("outputs_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "suspect_devices",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("suspect_since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_suspect_devices")),
    )
    op.create_table(
        "leadership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_leadership_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leadership")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
