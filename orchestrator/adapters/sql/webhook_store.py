"""WebhookStore and Outbox over SQL, and the one way in which transitions of jobs get into the outbox."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import webhook_deliveries, webhooks
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Job
from orchestrator.domain.webhook import (
    Delivery,
    DeliveryState,
    Webhook,
    WebhookEvent,
    event_told,
    job_body,
)
from orchestrator.ports.webhook_store import DeliveryPage

_WEBHOOK_FIELDS = tuple(field.name for field in dataclasses.fields(Webhook))
_DELIVERY_FIELDS = tuple(field.name for field in dataclasses.fields(Delivery))


class SqlWebhookStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, webhook: Webhook, *, limit: int) -> None:
        mine = sa.select(sa.func.count()).select_from(webhooks).where(webhooks.c.user_id == webhook.user_id)
        with self._database.write() as connection:
            if (connection.scalar(mine) or 0) >= limit:
                message = f"You have {limit} webhooks, which is the most a user may have: remove one first."
                raise Conflict(message, code="TOO_MANY_WEBHOOKS")
            connection.execute(webhooks.insert().values(_webhook_row(webhook)))

    def get(self, webhook_id: str) -> Webhook:
        with self._database.look() as connection:
            row = connection.execute(sa.select(webhooks).where(webhooks.c.id == webhook_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no webhook {webhook_id}.", code="WEBHOOK_NOT_FOUND")
        return _webhook_from(row)

    def list(self, user_id: str) -> Sequence[Webhook]:
        query = sa.select(webhooks).where(webhooks.c.user_id == user_id).order_by(webhooks.c.created_at, webhooks.c.id)
        with self._database.look() as connection:
            return [_webhook_from(row) for row in connection.execute(query).mappings()]

    def remove(self, webhook_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(webhooks.delete().where(webhooks.c.id == webhook_id))

    def enable(self, webhook_id: str) -> None:
        fresh = {"failing_since": None, "disabled_at": None, "disabled_reason": None}
        with self._database.write() as connection:
            connection.execute(webhooks.update().where(webhooks.c.id == webhook_id).values(fresh))

    def post(self, delivery: Delivery) -> None:
        same = sa.select(webhook_deliveries.c.id).where(
            webhook_deliveries.c.webhook_id == delivery.webhook_id,
            webhook_deliveries.c.event == delivery.event,
            webhook_deliveries.c.state == DeliveryState.PENDING,
        )
        with self._database.write() as connection:
            if connection.scalar(same.limit(1)) is not None:
                raise Conflict(f"A {delivery.event} is pending already.", code="PING_PENDING")
            connection.execute(webhook_deliveries.insert().values(_delivery_row(delivery)))

    def deliveries(self, webhook_id: str, *, page: int, page_size: int) -> DeliveryPage:
        its = webhook_deliveries.c.webhook_id == webhook_id
        newest = sa.select(webhook_deliveries).where(its)
        newest = newest.order_by(webhook_deliveries.c.created_at.desc(), webhook_deliveries.c.id.desc())
        newest = newest.limit(page_size).offset((page - 1) * page_size)
        count = sa.select(sa.func.count()).select_from(webhook_deliveries).where(its)
        with self._database.read() as connection:
            found = tuple(_delivery_from(row) for row in connection.execute(newest).mappings())
            return DeliveryPage(found, connection.scalar(count) or 0)


class SqlOutbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, *, at: datetime, busy_users: Collection[str], limit: int) -> Sequence[tuple[Webhook, Delivery]]:
        delivery = webhook_deliveries.c
        turn = sa.func.row_number().over(partition_by=webhooks.c.user_id, order_by=(delivery.next_try_at, delivery.id))
        ready = (
            sa.select(webhooks, *[delivery[name].label(f"delivery_{name}") for name in _DELIVERY_FIELDS])
            .add_columns(turn.label("turn"))
            .join_from(webhook_deliveries, webhooks, webhooks.c.id == delivery.webhook_id)
            .where(delivery.state == DeliveryState.PENDING, delivery.next_try_at <= at)
            .where(webhooks.c.user_id.not_in(list(busy_users)))
            .subquery()
        )
        query = sa.select(ready).where(ready.c.turn == 1).order_by(ready.c.delivery_next_try_at).limit(limit)
        with self._database.look() as connection:
            rows = connection.execute(query).mappings().all()
        return [(_webhook_from(row), _delivery_from(row, "delivery_")) for row in rows]

    def record(self, webhook: Webhook, delivery: Delivery) -> None:
        pending = webhook_deliveries.c.state == DeliveryState.PENDING
        health = {name: getattr(webhook, name) for name in ("failing_since", "disabled_at", "disabled_reason")}
        with self._database.write() as connection:
            connection.execute(
                webhook_deliveries.update()
                .where(webhook_deliveries.c.id == delivery.id, pending)
                .values(_delivery_row(delivery))
            )
            connection.execute(webhooks.update().where(webhooks.c.id == webhook.id).values(health))
            if webhook.disabled_at is not None:
                given_up = {"state": DeliveryState.FAILED, "next_try_at": None, "error": webhook.disabled_reason}
                its = webhook_deliveries.c.webhook_id == webhook.id
                connection.execute(webhook_deliveries.update().where(its, pending).values(given_up))

    def prune(self, *, before: datetime) -> int:
        settled = webhook_deliveries.c.state != DeliveryState.PENDING
        with self._database.write() as connection:
            old = webhook_deliveries.delete().where(settled, webhook_deliveries.c.created_at < before)
            return connection.execute(old).rowcount


def post_transitions(connection: sa.Connection, job: Job, events: Sequence[JobEvent]) -> None:
    """Into the outbox, within the transaction of the transition itself: what is stored is told, and nothing else is."""
    told = [(event, name) for event in events if (name := event_told(event)) is not None]
    if not told:
        return
    listening = sa.select(webhooks.c.id, webhooks.c.events).where(
        webhooks.c.user_id == job.user_id, webhooks.c.disabled_at.is_(None)
    )
    rows = [
        _delivery_row(_transition(webhook_id, name, job, event))
        for webhook_id, wanted in connection.execute(listening)
        for event, name in told
        if name in wanted
    ]
    if rows:
        connection.execute(webhook_deliveries.insert(), rows)


def _transition(webhook_id: str, name: WebhookEvent, job: Job, event: JobEvent) -> Delivery:
    return Delivery(
        id=str(uuid.uuid4()),
        webhook_id=webhook_id,
        event=name,
        job_id=job.id,
        body=job_body(job, event),
        created_at=event.at,
        next_try_at=event.at,
    )


def _webhook_row(webhook: Webhook) -> dict[str, object]:
    return {name: getattr(webhook, name) for name in _WEBHOOK_FIELDS} | {"events": list(webhook.events)}


def _webhook_from(row: sa.RowMapping) -> Webhook:
    values = {name: row[name] for name in _WEBHOOK_FIELDS}
    return Webhook(**values | {"events": tuple(map(WebhookEvent, row["events"]))})


def _delivery_row(delivery: Delivery) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in _DELIVERY_FIELDS}


def _delivery_from(row: sa.RowMapping, prefix: str = "") -> Delivery:
    values = {name: row[prefix + name] for name in _DELIVERY_FIELDS}
    return Delivery(**values | {"state": DeliveryState(values["state"])})
