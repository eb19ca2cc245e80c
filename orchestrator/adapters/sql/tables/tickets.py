"""What lets a browser in where it cannot send a token: into a stream, and to a file."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, metadata

stream_tickets = sa.Table(
    "stream_tickets",
    metadata,
    sa.Column("ticket_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    # Null: the user's own stream. No foreign key: a ticket outlives nothing, it is worthless after seconds.
    sa.Column("job_id", sa.String(36)),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("token_expires_at", Instant),
)

artifact_tickets = sa.Table(
    "artifact_tickets",
    metadata,
    sa.Column("ticket_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    # No foreign key either: whoever comes with the ticket of a file that is gone is told so.
    sa.Column("artifact_id", sa.String(36), nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("resumable_until", Instant, nullable=False),
)
