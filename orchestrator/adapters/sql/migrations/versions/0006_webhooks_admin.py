"""Webhooks and what they are still to be told; what administrators see and decide; diagnostic jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")

KEEP_FROM_THE_DATA_API = """
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['container_samples', 'diagnostic_tables', 'maintenance', 'user_limits',
                              'webhook_deliveries', 'webhooks'] LOOP
    EXECUTE format('ALTER TABLE %I SET SCHEMA %I', name, 'lorry_' || current_schema());
  END LOOP;
END $$
"""


def upgrade() -> None:
    _webhooks()
    _administration()
    _diagnostic_jobs()
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("failing_since", INSTANT),
        sa.Column("disabled_at", INSTANT),
        sa.Column("disabled_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_user_id", "webhooks", ["user_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "webhook_id",
            sa.String(36),
            sa.ForeignKey("webhooks.id", ondelete="CASCADE", name="fk_webhook_deliveries_webhook_id_webhooks"),
            nullable=False,
        ),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("job_id", sa.String(36)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", INSTANT),
        sa.Column("tried_at", INSTANT),
        sa.Column("status_code", sa.Integer),
        sa.Column("error", sa.Text),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'failed')", name=op.f("ck_webhook_deliveries_state")),
        sa.CheckConstraint(
            "(next_try_at IS NOT NULL) = (state = 'pending')", name=op.f("ck_webhook_deliveries_tried_while_pending")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
    )
    op.create_index(
        "ix_webhook_deliveries_webhook_id_created_at_id", "webhook_deliveries", ["webhook_id", "created_at", "id"]
    )
    op.create_index("ix_webhook_deliveries_state_next_try_at", "webhook_deliveries", ["state", "next_try_at"])


def _administration() -> None:
    op.create_table(
        "container_samples",
        sa.Column("container_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("image", sa.Text),
        sa.Column("image_digest", sa.Text),
        sa.Column("mounts", JSON, nullable=False),
        sa.Column("limits", JSON, nullable=False),
        sa.Column("cpu_percent", sa.Float),
        sa.Column("memory_bytes", sa.BigInteger),
        sa.Column("pids", sa.Integer),
        sa.Column("created_at", INSTANT),
        sa.Column("started_at", INSTANT),
        sa.Column("sampled_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("container_id", name="pk_container_samples"),
    )
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_maintenance_single_row")),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance"),
    )
    op.create_table(
        "user_limits",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("max_active_jobs", sa.Integer, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("max_active_jobs BETWEEN 0 AND 64", name=op.f("ck_user_limits_max_active_jobs")),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_limits"),
    )


def _diagnostic_jobs() -> None:
    op.create_table(
        "diagnostic_tables",
        sa.Column(
            "job_id",
            sa.String(36),
            sa.ForeignKey("training_jobs.id", ondelete="CASCADE", name="fk_diagnostic_tables_job_id_training_jobs"),
            primary_key=True,
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_diagnostic_tables"),
    )
    with op.batch_alter_table("training_jobs") as jobs:
        jobs.drop_constraint(op.f("ck_training_jobs_type"), type_="check")
        jobs.create_check_constraint(op.f("ck_training_jobs_type"), "type IN ('lora', 'dreambooth', 'diagnostic')")
