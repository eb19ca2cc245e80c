"""What adapters were made from, and the names and versions they are registered under."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata

# One row a job, of its newest attempt. It outlives the dataset, so it names the items itself.
training_lineage = sa.Table(
    "training_lineage",
    metadata,
    sa.Column("job_id", sa.ForeignKey("training_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("dataset_id", sa.String(36), nullable=False),
    sa.Column("dataset_sha256", sa.String(64), nullable=False),
    sa.Column("items", Json, nullable=False),
    sa.Column("caption_template", sa.Text, nullable=False),
    sa.Column("base_model", sa.Text, nullable=False),
    sa.Column("base_model_revision", sa.Text, nullable=False),
    sa.Column("image_digest", sa.Text, nullable=False),
    sa.Column("config_sha256", sa.String(64), nullable=False),
    sa.Column("memory_profile", sa.Text, nullable=False),
    sa.Column("model_name", sa.Text, nullable=False),
    sa.Column("model_version", sa.Integer, nullable=False),
    sa.Column("continues", sa.String(36)),
    sa.Column("continues_from", sa.Text),
    sa.Column("adapter_sha256", sa.String(64)),
    sa.Column("recorded_at", Instant, nullable=False),
)

_IS_OWN = sa.text("step IS NULL")
ONE_MODEL_A_NUMBER = sa.UniqueConstraint("user_id", "name", "version")

# A version's number is taken when its job is first launched, and never given to another: rows of deleted versions stay.
models = sa.Table(
    "models",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("job_id", sa.ForeignKey("training_jobs.id", ondelete="SET NULL")),
    sa.Column("step", sa.Integer),  # of a checkpoint; null: what the job ended with, or will
    sa.Column("artifact_id", sa.ForeignKey("artifacts.id", ondelete="SET NULL"), index=True),
    sa.Column("base_model", sa.Text, nullable=False),
    sa.Column("trigger_words", Json, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("registered_at", Instant),
    sa.Column("deleted_at", Instant),
    ONE_MODEL_A_NUMBER,
    sa.Index("ix_models_job_id", "job_id"),
    sa.Index("uq_models_own_version", "job_id", unique=True, sqlite_where=_IS_OWN, postgresql_where=_IS_OWN),
)
