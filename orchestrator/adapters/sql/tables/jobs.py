"""Jobs, their attempts and what these hold."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata, one_of
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.training import TrainingType

# Promise 5: never two jobs in one slot of a user.
ONE_JOB_A_SLOT = sa.Index("uq_training_jobs_user_id_slot", "user_id", "slot", unique=True)
ONE_SUBMISSION_A_KEY = sa.Index("uq_training_jobs_user_id_idempotency_key", "user_id", "idempotency_key", unique=True)

_IS_DELETED = sa.text("deleted_at IS NOT NULL")

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
    sa.Column("continues", sa.String(36)),
    sa.Column("continues_from", sa.Text),
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
    sa.Column("checkpoint_step", sa.BigInteger),
    sa.Column("metrics", Json, nullable=False),
    sa.Column("best_loss", sa.Float),
    sa.Column("best_loss_step", sa.BigInteger),
    sa.Column("best_val_loss", sa.Float),
    sa.Column("best_val_loss_step", sa.BigInteger),
    sa.Column("cancel_requested_at", Instant),
    sa.Column("cancel_reason", sa.Text),
    sa.Column("kill_at", Instant),
    sa.Column("end_reason", sa.Text),
    sa.Column("exit_code", sa.Integer),
    sa.Column("gpus", sa.Integer, nullable=False, server_default="1"),
    sa.Column("max_runtime_seconds", sa.Integer),
    sa.Column("retries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("retry_at", Instant),
    sa.Column("hold_reason", sa.Text),
    sa.Column("memory_profile", sa.Text, nullable=False, server_default="normal"),
    sa.Column("resume_from", sa.Text),
    sa.Column("dataset_sha256", sa.String(64)),
    sa.Column("notes", sa.Text),
    sa.Column("tags", Json, nullable=False, server_default="[]"),
    sa.Column("deleted_at", Instant),
    sa.Column("excluded_items", Json, nullable=False, server_default="{}"),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("body_hash", sa.Text),
    one_of("type", TrainingType),
    one_of("status", JobStatus),
    sa.CheckConstraint("priority BETWEEN -1 AND 2", name="priority"),
    sa.CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    # Only active jobs hold a slot.
    sa.CheckConstraint("(slot IS NOT NULL) = (status IN ('pending', 'running'))", name="slot_while_active"),
    # Promise 7: what is cancelled never waits for another start.
    sa.CheckConstraint("NOT (status = 'queued' AND cancel_requested_at IS NOT NULL)", name="cancelled_is_not_queued"),
    sa.CheckConstraint("gpus BETWEEN 1 AND 16", name="gpus"),
    ONE_JOB_A_SLOT,
    ONE_SUBMISSION_A_KEY,
    # All that a page of a list is found by, without a look at the rows before it: of a user's, of those of a kind among
    # them, and of everybody's.
    sa.Index("ix_training_jobs_user_id_created_at_id", "user_id", "created_at", "id"),
    sa.Index("ix_training_jobs_user_id_status_created_at_id", "user_id", "status", "created_at", "id"),
    sa.Index("ix_training_jobs_user_id_type_created_at_id", "user_id", "type", "created_at", "id"),
    sa.Index("ix_training_jobs_user_id_base_model_created_at_id", "user_id", "base_model", "created_at", "id"),
    sa.Index("ix_training_jobs_dataset_id_user_id_created_at_id", "dataset_id", "user_id", "created_at", "id"),
    sa.Index("ix_training_jobs_experiment_id_user_id_created_at_id", "experiment_id", "user_id", "created_at", "id"),
    sa.Index("ix_training_jobs_created_at_id", "created_at", "id"),
    # The same by the best that they came to.
    sa.Index("ix_training_jobs_user_id_best_loss_created_at_id", "user_id", "best_loss", "created_at", "id"),
    sa.Index("ix_training_jobs_user_id_best_val_loss_created_at_id", "user_id", "best_val_loss", "created_at", "id"),
    sa.Index("ix_training_jobs_best_loss_created_at_id", "best_loss", "created_at", "id"),
    sa.Index("ix_training_jobs_best_val_loss_created_at_id", "best_val_loss", "created_at", "id"),
    # To count them by: the narrowest there can be, which for a hundred thousand jobs takes half as long.
    sa.Index("ix_training_jobs_user_id", "user_id"),
    sa.Index("ix_training_jobs_status_created_at", "status", "created_at"),
    # Few at any time: those that nobody sees and that can still be brought back.
    sa.Index(
        "ix_training_jobs_deleted_at_id", "deleted_at", "id", sqlite_where=_IS_DELETED, postgresql_where=_IS_DELETED
    ),
)

# Deleted jobs whose rows are removed and whose files are still to be. Nothing else may be told by a row's absence: a
# store that was restored from a backup lacks rows too.
deleted_jobs = sa.Table(
    "deleted_jobs",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("deleted_at", Instant, nullable=False),
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

# The rows that a diagnostic job was sent with, as text.
diagnostic_tables = sa.Table(
    "diagnostic_tables",
    metadata,
    sa.Column("job_id", sa.ForeignKey("training_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
