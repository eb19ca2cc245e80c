"""What jobs leave behind: history, metrics, files."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata

training_metrics = sa.Table(
    "training_metrics",
    metadata,
    sa.Column("run_id", sa.ForeignKey("training_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("step", sa.BigInteger, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("loss", sa.Float, nullable=False),
    sa.Column("val_loss", sa.Float),
    sa.Column("learning_rate", sa.Float),
    sa.Column("throughput", sa.Float),
    sa.Column("gpu_utilization", sa.Float),
    sa.Column("gpu_memory_bytes", sa.BigInteger),
    sa.Column("timestamp", Instant, nullable=False),
)

# A validation is one row in hundreds; a job's best one is found without a look at the others.
sa.Index(
    "ix_training_metrics_validations",
    training_metrics.c.run_id,
    training_metrics.c.val_loss,
    training_metrics.c.attempt,
    training_metrics.c.step,
    postgresql_where=training_metrics.c.val_loss.is_not(None),
    sqlite_where=training_metrics.c.val_loss.is_not(None),
)

training_events = sa.Table(
    "training_events",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.ForeignKey("training_jobs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("event_type", sa.Text, nullable=False),
    sa.Column("old_status", sa.Text),
    sa.Column("new_status", sa.Text),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("ix_training_events_job_id_id", "job_id", "id"),
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("job_id", sa.ForeignKey("training_jobs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("is_showable", sa.Boolean),
    sa.UniqueConstraint("job_id", "attempt", "path"),
)
# What is to be looked at next, among very many that were.
_UNSEEN_SAMPLE = sa.and_(artifacts.c.kind == "sample", artifacts.c.is_showable.is_(None))
sa.Index(
    "ix_artifacts_unseen_samples",
    artifacts.c.created_at,
    artifacts.c.id,
    postgresql_where=_UNSEEN_SAMPLE,
    sqlite_where=_UNSEEN_SAMPLE,
)
# A list of jobs names the checkpoints of each, among hundreds of pictures.
sa.Index(
    "ix_artifacts_job_id_checkpoint",
    artifacts.c.job_id,
    postgresql_where=artifacts.c.kind == "checkpoint",
    sqlite_where=artifacts.c.kind == "checkpoint",
)

artifact_uploads = sa.Table(
    "artifact_uploads",
    metadata,
    # No foreign key: a copy outlives its artifact, and this row says that it is still to be deleted.
    sa.Column("artifact_id", sa.String(36), primary_key=True),
    sa.Column("object_key", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("settled_at", Instant, nullable=False),
    sa.CheckConstraint("outcome IN ('uploaded', 'no_folder', 'file_gone')", name="outcome"),
)
