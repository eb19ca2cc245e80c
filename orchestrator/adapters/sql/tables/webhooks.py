"""Who wants to be told of a user's jobs, and what they are still to be told: the outbox."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.adapters.sql.tables.schema import Instant, Json, metadata, one_of
from orchestrator.domain.webhook import DeliveryState

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("failing_since", Instant),
    sa.Column("disabled_at", Instant),
    sa.Column("disabled_reason", sa.Text),
)

# No foreign key to the job: what is to be told of it is told also when it was deleted since.
webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("webhook_id", sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("job_id", sa.String(36)),
    # The bytes that are signed and sent, the same at every try.
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try_at", Instant),
    sa.Column("tried_at", Instant),
    sa.Column("status_code", sa.Integer),
    sa.Column("error", sa.Text),
    one_of("state", DeliveryState),
    sa.CheckConstraint("(next_try_at IS NOT NULL) = (state = 'pending')", name="tried_while_pending"),
    sa.Index("ix_webhook_deliveries_webhook_id_created_at_id", "webhook_id", "created_at", "id"),
    sa.Index("ix_webhook_deliveries_state_next_try_at", "state", "next_try_at"),
)
