"""Datasets, their items, and what jobs trained on."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata, one_of
from orchestrator.domain.dataset import Approval

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
    one_of("approval", Approval),
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

# What was copied, or was about to be, of which dataset. No foreign key, as with artifacts.
dataset_uploads = sa.Table(
    "dataset_uploads",
    metadata,
    sa.Column("dataset_id", sa.String(36), primary_key=True),
    sa.Column("object_keys", Json, nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
)
