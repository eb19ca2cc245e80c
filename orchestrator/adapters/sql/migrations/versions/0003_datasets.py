"""Datasets in full: approval and uses of items, what was measured of them, and the versions that jobs train on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("dataset_items") as items:
        # What is there already was good enough to be trained on.
        items.add_column(sa.Column("approval", sa.Text(), nullable=False, server_default="labeled"))
        items.add_column(sa.Column("allowed_uses", JSON, nullable=False, server_default='["training"]'))
        items.add_column(sa.Column("prohibited_uses", JSON, nullable=False, server_default="[]"))
        items.add_column(sa.Column("sharpness", sa.Float(), nullable=True))
        items.add_column(sa.Column("dhash", sa.String(length=16), nullable=True))
        items.create_check_constraint("approval", "approval IN ('pending', 'labeled', 'rejected')")
    with op.batch_alter_table("training_jobs") as jobs:
        jobs.add_column(sa.Column("dataset_sha256", sa.String(length=64), nullable=True))
        jobs.add_column(sa.Column("excluded_items", JSON, nullable=False, server_default="{}"))
    op.create_table(
        "dataset_versions",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "sha256", name=op.f("pk_dataset_versions")),
    )
