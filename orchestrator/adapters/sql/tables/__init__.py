"""Every table, by subject. Migrations make them; a test compares the two."""

from __future__ import annotations

from orchestrator.adapters.sql.tables.administration import container_samples, maintenance, user_limits
from orchestrator.adapters.sql.tables.datasets import dataset_items, dataset_uploads, dataset_versions, datasets
from orchestrator.adapters.sql.tables.downloads import model_downloads
from orchestrator.adapters.sql.tables.engine import engine_status, leadership, suspect_devices
from orchestrator.adapters.sql.tables.experiments import experiment_metrics, experiment_params, experiments
from orchestrator.adapters.sql.tables.identity import api_tokens, audit_log
from orchestrator.adapters.sql.tables.jobs import (
    ONE_JOB_A_SLOT,
    ONE_SUBMISSION_A_KEY,
    deleted_jobs,
    diagnostic_tables,
    gpu_leases,
    training_attempts,
    training_jobs,
)
from orchestrator.adapters.sql.tables.lineage import ONE_MODEL_A_NUMBER, models, training_lineage
from orchestrator.adapters.sql.tables.records import artifact_uploads, artifacts, training_events, training_metrics
from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata
from orchestrator.adapters.sql.tables.tickets import artifact_tickets, stream_tickets
from orchestrator.adapters.sql.tables.webhooks import webhook_deliveries, webhooks

__all__ = [
    "ONE_JOB_A_SLOT",
    "ONE_MODEL_A_NUMBER",
    "ONE_SUBMISSION_A_KEY",
    "Instant",
    "Json",
    "api_tokens",
    "artifact_tickets",
    "artifact_uploads",
    "artifacts",
    "audit_log",
    "container_samples",
    "dataset_items",
    "dataset_uploads",
    "dataset_versions",
    "datasets",
    "deleted_jobs",
    "diagnostic_tables",
    "engine_status",
    "experiment_metrics",
    "experiment_params",
    "experiments",
    "gpu_leases",
    "leadership",
    "maintenance",
    "metadata",
    "model_downloads",
    "models",
    "stream_tickets",
    "suspect_devices",
    "training_attempts",
    "training_events",
    "training_jobs",
    "training_lineage",
    "training_metrics",
    "user_limits",
    "webhook_deliveries",
    "webhooks",
]
