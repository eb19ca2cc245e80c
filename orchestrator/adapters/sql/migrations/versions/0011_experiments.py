"""Experiments, what their owners noted and measured; the best validation of a job found without a look at the rest."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")

KEEP_FROM_THE_DATA_API = """
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['experiments', 'experiment_params', 'experiment_metrics'] LOOP
    EXECUTE format('ALTER TABLE %I SET SCHEMA %I', name, 'lorry_' || current_schema());
  END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_experiments"),
    )
    op.create_index("ix_experiments_user_id_created_at_id", "experiments", ["user_id", "created_at", "id"])
    op.create_table(
        "experiment_params",
        sa.Column("experiment_id", sa.String(36), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "name", name="pk_experiment_params"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            ondelete="CASCADE",
            name="fk_experiment_params_experiment_id_experiments",
        ),
    )
    op.create_table(
        "experiment_metrics",
        sa.Column("experiment_id", sa.String(36), nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "job_id", "name", name="pk_experiment_metrics"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            ondelete="CASCADE",
            name="fk_experiment_metrics_experiment_id_experiments",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["training_jobs.id"],
            ondelete="CASCADE",
            name="fk_experiment_metrics_job_id_training_jobs",
        ),
    )
    op.create_index("ix_experiment_metrics_job_id", "experiment_metrics", ["job_id"])
    # Until now any id was taken; none of them named anything.
    op.execute("UPDATE training_jobs SET experiment_id = NULL WHERE experiment_id IS NOT NULL")
    op.create_index("ix_training_jobs_experiment_id", "training_jobs", ["experiment_id"])
    op.create_index(
        "ix_training_metrics_validations",
        "training_metrics",
        ["run_id", "val_loss", "attempt", "step"],
        postgresql_where=sa.text("val_loss IS NOT NULL"),
        sqlite_where=sa.text("val_loss IS NOT NULL"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)
