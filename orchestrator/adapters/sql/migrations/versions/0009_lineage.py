"""Where adapters come from, and the names and versions they are registered under."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)

KEEP_FROM_THE_DATA_API = """
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['training_lineage', 'models', 'deleted_jobs'] LOOP
    EXECUTE format('ALTER TABLE %I SET SCHEMA %I', name, 'lorry_' || current_schema());
  END LOOP;
END $$
"""


def upgrade() -> None:
    _create_lineage()
    _create_models()
    op.create_table(
        "deleted_jobs",
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("deleted_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_deleted_jobs")),
    )
    with op.batch_alter_table("engine_status") as status:
        status.add_column(sa.Column("image_digest", sa.Text(), nullable=True))
    if op.get_context().dialect.name == "postgresql":
        op.execute(KEEP_FROM_THE_DATA_API)


def _create_lineage() -> None:
    job = sa.ForeignKey("training_jobs.id", ondelete="CASCADE", name=op.f("fk_training_lineage_job_id_training_jobs"))
    op.create_table(
        "training_lineage",
        sa.Column("job_id", sa.String(36), job, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.String(36), nullable=False),
        sa.Column("dataset_sha256", sa.String(64), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("caption_template", sa.Text(), nullable=False),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("base_model_revision", sa.Text(), nullable=False),
        sa.Column("image_digest", sa.Text(), nullable=False),
        sa.Column("config_sha256", sa.String(64), nullable=False),
        sa.Column("memory_profile", sa.Text(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=False),
        sa.Column("adapter_sha256", sa.String(64), nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_training_lineage")),
    )


def _create_models() -> None:
    job = sa.ForeignKey("training_jobs.id", ondelete="SET NULL", name=op.f("fk_models_job_id_training_jobs"))
    artifact = sa.ForeignKey("artifacts.id", ondelete="SET NULL", name=op.f("fk_models_artifact_id_artifacts"))
    op.create_table(
        "models",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(36), job, nullable=True),
        sa.Column("artifact_id", sa.String(36), artifact, nullable=True),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("trigger_words", JSON, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("registered_at", INSTANT, nullable=True),
        sa.Column("deleted_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("job_id", name=op.f("uq_models_job_id")),
        sa.UniqueConstraint("user_id", "name", "version", name=op.f("uq_models_user_id_name_version")),
    )
    op.create_index("ix_models_artifact_id", "models", ["artifact_id"])
