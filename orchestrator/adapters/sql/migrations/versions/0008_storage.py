"""Datasets in Storage: what holds a job whose pictures are still fetched, and copies that outlive what they are of.

And an index to count a user's jobs by.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)

KEYS_OF_COPIES = """
UPDATE artifact_uploads SET object_key = (
  SELECT training_jobs.user_id || '/' || artifacts.job_id || '/' || artifacts.path
  FROM artifacts JOIN training_jobs ON training_jobs.id = artifacts.job_id
  WHERE artifacts.id = artifact_uploads.artifact_id)
WHERE outcome = 'uploaded'
"""

KEEP_FROM_THE_DATA_API = """
DO $$
BEGIN
  EXECUTE format('ALTER TABLE dataset_uploads SET SCHEMA %I', 'lorry_' || current_schema());
END $$
"""


def upgrade() -> None:
    with op.batch_alter_table("training_jobs") as jobs:
        jobs.add_column(sa.Column("hold_reason", sa.Text(), nullable=True))
    op.create_index("ix_training_jobs_user_id", "training_jobs", ["user_id"])
    # A copy's row stays when its artifact goes: it says what is left to be deleted.
    with op.batch_alter_table("artifact_uploads") as uploads:
        uploads.drop_constraint("fk_artifact_uploads_artifact_id_artifacts", type_="foreignkey")
        uploads.add_column(sa.Column("object_key", sa.Text(), nullable=True))
    op.execute(KEYS_OF_COPIES)
    op.create_table(
        "dataset_uploads",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("object_keys", JSON, nullable=False),
        sa.Column("begun_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_dataset_uploads")),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)
