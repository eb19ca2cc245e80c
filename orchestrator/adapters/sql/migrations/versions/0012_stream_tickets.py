"""One-time tickets for streams."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

KEEP_FROM_THE_DATA_API = """
DO $$
BEGIN
  EXECUTE format('ALTER TABLE stream_tickets SET SCHEMA %I', 'lorry_' || current_schema());
END $$
"""


def upgrade() -> None:
    op.create_table(
        "stream_tickets",
        sa.Column("ticket_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("job_id", sa.String(36)),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("token_expires_at", INSTANT),
        sa.PrimaryKeyConstraint("ticket_hash", name="pk_stream_tickets"),
    )
    op.create_index("ix_stream_tickets_expires_at", "stream_tickets", ["expires_at"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)
