"""Jobs that were deleted and can still be brought back, which nobody sees until then."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

IS_DELETED = sa.text("deleted_at IS NOT NULL")

# Without a notice where there is none, which whoever migrates would read.
DROP_EARLIER_POLICY = """
DO $$
BEGIN
  IF EXISTS (
      SELECT FROM pg_policies
      WHERE schemaname = current_schema() AND tablename = 'training_jobs' AND policyname = 'owner reads') THEN
    DROP POLICY "owner reads" ON training_jobs;
  END IF;
END $$
"""


def upgrade() -> None:
    with op.batch_alter_table("training_jobs") as jobs:
        jobs.add_column(sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_training_jobs_deleted_at_id",
        "training_jobs",
        ["deleted_at", "id"],
        sqlite_where=IS_DELETED,
        postgresql_where=IS_DELETED,
    )
    if op.get_context().dialect.name == "postgresql":
        # Made anew, with the rule that deleted jobs are not shown, by what runs after every migration.
        op.execute(DROP_EARLIER_POLICY)
