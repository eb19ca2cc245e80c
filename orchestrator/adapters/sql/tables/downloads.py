"""Models that are, were or should have been fetched from their hub."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, metadata, one_of
from orchestrator.domain.download import DownloadStatus

# One row a model: whoever wants it waits for the same download.
model_downloads = sa.Table(
    "model_downloads",
    metadata,
    sa.Column("model_id", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("revision", sa.Text),
    sa.Column("bytes_downloaded", sa.BigInteger, nullable=False),
    sa.Column("total_bytes", sa.BigInteger),
    sa.Column("message", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("retry_at", Instant),
    sa.Column("requested_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    one_of("status", DownloadStatus),
)
