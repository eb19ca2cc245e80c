"""Every table. Migrations make them; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from orchestrator.domain.dataset import Approval
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.training import TrainingType

# Every constraint has a name, or SQLite's batch migrations cannot drop it.
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.TypeDecorator[datetime]):
    """A UTC-aware datetime on both dialects; SQLite keeps no zone, so it gets UTC without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = sa.JSON().with_variant(JSONB(), "postgresql")


def _one_of(column: str, values: Any) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


# Promise 5: never two jobs in one slot of a user.
ONE_JOB_A_SLOT = sa.Index("uq_training_jobs_user_id_slot", "user_id", "slot", unique=True)
ONE_SUBMISSION_A_KEY = sa.Index("uq_training_jobs_user_id_idempotency_key", "user_id", "idempotency_key", unique=True)

training_jobs = sa.Table(
    "training_jobs",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("dataset_id", sa.String(36), nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("base_model", sa.Text, nullable=False),
    sa.Column("config", Json, nullable=False),
    sa.Column("trigger_words", Json, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("container_id", sa.Text),
    sa.Column("error_message", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("completed_at", Instant),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("slot", sa.Integer),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("preset", sa.Text),
    sa.Column("experiment_id", sa.String(36)),
    sa.Column("retry_of", sa.String(36)),
    sa.Column("gpu_ids", Json, nullable=False),
    sa.Column("image_digest", sa.Text),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("phase", sa.Text),
    sa.Column("current_step", sa.BigInteger, nullable=False),
    sa.Column("total_steps", sa.BigInteger, nullable=False),
    sa.Column("current_epoch", sa.BigInteger, nullable=False),
    sa.Column("total_epochs", sa.BigInteger, nullable=False),
    sa.Column("eta_seconds", sa.Float),
    sa.Column("train_count", sa.BigInteger),
    sa.Column("val_count", sa.BigInteger),
    sa.Column("metrics", Json, nullable=False),
    sa.Column("cancel_requested_at", Instant),
    sa.Column("cancel_reason", sa.Text),
    sa.Column("end_reason", sa.Text),
    sa.Column("exit_code", sa.Integer),
    sa.Column("gpus", sa.Integer, nullable=False, server_default="1"),
    sa.Column("max_runtime_seconds", sa.Integer),
    sa.Column("retries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("retry_at", Instant),
    sa.Column("memory_profile", sa.Text, nullable=False, server_default="normal"),
    sa.Column("resume_from", sa.Text),
    sa.Column("dataset_sha256", sa.String(64)),
    sa.Column("excluded_items", Json, nullable=False, server_default="{}"),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("body_hash", sa.Text),
    _one_of("type", TrainingType),
    _one_of("status", JobStatus),
    sa.CheckConstraint("priority BETWEEN -1 AND 2", name="priority"),
    sa.CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    # Only active jobs hold a slot.
    sa.CheckConstraint("(slot IS NOT NULL) = (status IN ('pending', 'running'))", name="slot_while_active"),
    # Promise 7: what is cancelled never waits for another start.
    sa.CheckConstraint("NOT (status = 'queued' AND cancel_requested_at IS NOT NULL)", name="cancelled_is_not_queued"),
    sa.CheckConstraint("gpus BETWEEN 1 AND 16", name="gpus"),
    ONE_JOB_A_SLOT,
    ONE_SUBMISSION_A_KEY,
    # All that a page of a user's list is found by, without a look at the rows before it.
    sa.Index("ix_training_jobs_user_id_created_at_id", "user_id", "created_at", "id"),
    sa.Index("ix_training_jobs_status_created_at", "status", "created_at"),
    sa.Index("ix_training_jobs_dataset_id", "dataset_id"),
)

training_attempts = sa.Table(
    "training_attempts",
    metadata,
    sa.Column("job_id", sa.ForeignKey("training_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("container_name", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("devices", Json, nullable=False),
    sa.Column("container_id", sa.Text),
    sa.Column("engine_id", sa.Text),
    sa.Column("image_digest", sa.Text),
    sa.Column("spec_hash", sa.Text),
    sa.Column("started_at", Instant),
    sa.Column("stop_requested_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("exit_code", sa.Integer),
    sa.Column("is_oom_killed", sa.Boolean, nullable=False),
    sa.Column("end_reason", sa.Text),
    sa.Column("events_offset", sa.BigInteger, nullable=False),
    sa.Column("events_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("history_rows", sa.Integer, nullable=False, server_default="0"),
    sa.Column("log_since", sa.Text),
    sa.Column("log_since_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("log_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("stop_reason", sa.Text),
    sa.Column("kill_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("killed_at", Instant),
    sa.Column("memory_profile", sa.Text, nullable=False, server_default="normal"),
    sa.Column("resume_from", sa.Text),
    sa.Column("last_event_at", Instant),
    sa.Column("engine_missed_at", Instant),
    sa.Column("outputs_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("progress", Json),  # newer than what the job's row shows, or null
)

# Promise 5: never two jobs on one device. The device is the key, so a second lease cannot be stored.
gpu_leases = sa.Table(
    "gpu_leases",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("job_id", sa.ForeignKey("training_jobs.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("leased_at", Instant, nullable=False),
)

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
    sa.UniqueConstraint("job_id", "attempt", "path"),
)

artifact_uploads = sa.Table(
    "artifact_uploads",
    metadata,
    sa.Column("artifact_id", sa.ForeignKey("artifacts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("settled_at", Instant, nullable=False),
    sa.CheckConstraint("outcome IN ('uploaded', 'no_folder', 'file_gone')", name="outcome"),
)

datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("item_count", sa.Integer, nullable=False),
    sa.Column("captioned_count", sa.Integer, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Index("ix_datasets_user_id_created_at", "user_id", "created_at"),
)

dataset_items = sa.Table(
    "dataset_items",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("dataset_id", sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("original_name", sa.Text, nullable=False),
    sa.Column("caption", sa.Text),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("approval", sa.Text, nullable=False, server_default="labeled"),
    sa.Column("allowed_uses", Json, nullable=False, server_default='["training"]'),
    sa.Column("prohibited_uses", Json, nullable=False, server_default="[]"),
    sa.Column("sharpness", sa.Float),
    sa.Column("dhash", sa.String(16)),
    _one_of("approval", Approval),
    sa.UniqueConstraint("dataset_id", "file_name"),
)

# A job's evidence of what it trained on. No foreign key: the datasets may be rows of another system.
dataset_versions = sa.Table(
    "dataset_versions",
    metadata,
    sa.Column("dataset_id", sa.String(36), primary_key=True),
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("items", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False, index=True),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
)

engine_status = sa.Table(
    "engine_status",
    metadata,
    # One row: the orchestrator that works on this store.
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("last_pass_at", Instant, nullable=False),
    sa.Column("unreachable_since", Instant),
    sa.Column("engine_id", sa.Text),
    sa.Column("is_image_present", sa.Boolean, nullable=False),
    sa.Column("devices", Json, nullable=False),
    sa.Column("problem", sa.Text),
    sa.CheckConstraint("id = 1", name="single_row"),
)

suspect_devices = sa.Table(
    "suspect_devices",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("suspect_since", Instant, nullable=False),
)

# One row: who orchestrates. `term` grows with every change of hands; a write of an older term is refused.
leadership = sa.Table(
    "leadership",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("term", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("acquired_at", Instant, nullable=False),
    sa.CheckConstraint("id = 1", name="single_row"),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
