"""What administrators ask, and what users ask of webhooks."""

from __future__ import annotations

from orchestrator.adapters.sql import SqlContainerStore, SqlControlStore, SqlWebhookStore
from orchestrator.bootstrap.adapters import Adapters
from orchestrator.services.admin import Admin
from orchestrator.services.containers import Containers
from orchestrator.services.queue import Queue
from orchestrator.services.webhooks import Webhooks
from orchestrator.settings import Settings


def build_admin(adapters: Adapters, queue: Queue) -> Admin:
    return Admin(
        store=SqlControlStore(adapters.database),
        jobs=adapters.jobs,
        records=adapters.records,
        queue=queue,
        wake_up=adapters.submissions,
        clock=adapters.clock,
    )


def build_containers(adapters: Adapters) -> Containers:
    return Containers(
        store=SqlContainerStore(adapters.database),
        jobs=adapters.jobs,
        workspace=adapters.workspace,
        wake_up=adapters.submissions,
        clock=adapters.clock,
    )


def build_webhooks(adapters: Adapters, settings: Settings) -> Webhooks:
    return Webhooks(
        store=SqlWebhookStore(adapters.database),
        clock=adapters.clock,
        are_allowed=settings.webhooks,
        allowed_receivers=settings.webhook_receivers,
    )
