"""What came of copying artifacts to an object store."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

KEEP_FROM_THE_DATA_API = """
DO $$
BEGIN
  EXECUTE format('ALTER TABLE artifact_uploads SET SCHEMA %I', 'lorry_' || current_schema());
END $$
"""


def upgrade() -> None:
    op.create_table(
        "artifact_uploads",
        sa.Column(
            "artifact_id",
            sa.String(36),
            sa.ForeignKey("artifacts.id", ondelete="CASCADE", name="fk_artifact_uploads_artifact_id_artifacts"),
            primary_key=True,
        ),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("settled_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('uploaded', 'no_folder', 'file_gone')", name=op.f("ck_artifact_uploads_outcome")
        ),
        sa.PrimaryKeyConstraint("artifact_id", name="pk_artifact_uploads"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)
