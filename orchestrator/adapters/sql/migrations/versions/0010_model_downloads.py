"""Which models of the catalogue are being fetched from their hub, how far each has got, and how it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

KEEP_FROM_THE_DATA_API = """
DO $$
BEGIN
  EXECUTE format('ALTER TABLE model_downloads SET SCHEMA %I', 'lorry_' || current_schema());
END $$
"""


def upgrade() -> None:
    op.create_table(
        "model_downloads",
        sa.Column("model_id", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("revision", sa.Text),
        sa.Column("bytes_downloaded", sa.BigInteger, nullable=False),
        sa.Column("total_bytes", sa.BigInteger),
        sa.Column("message", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("retry_at", INSTANT),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.CheckConstraint("status IN ('downloading', 'done', 'error')", name=op.f("ck_model_downloads_status")),
        sa.PrimaryKeyConstraint("model_id", name="pk_model_downloads"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)
