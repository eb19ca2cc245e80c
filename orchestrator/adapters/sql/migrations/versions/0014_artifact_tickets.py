"""Tickets with which a browser downloads a file by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

KEEP_FROM_THE_DATA_API = """
DO $$
BEGIN
  EXECUTE format('ALTER TABLE artifact_tickets SET SCHEMA %I', 'lorry_' || current_schema());
END $$
"""


def upgrade() -> None:
    op.create_table(
        "artifact_tickets",
        sa.Column("ticket_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("artifact_id", sa.String(36), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("resumable_until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("ticket_hash", name="pk_artifact_tickets"),
    )
    op.create_index("ix_artifact_tickets_expires_at", "artifact_tickets", ["expires_at"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)
