"""What runs beside the passes of the process that leads, each in a thread of its own."""

from __future__ import annotations

from orchestrator.adapters.sql import SqlContainerStore, SqlOutbox, SqlSampleStore
from orchestrator.adapters.webhooks import GuardedSender
from orchestrator.bootstrap.adapters import Adapters
from orchestrator.services.container_watch import ContainerWatch
from orchestrator.services.deliveries import Deliveries
from orchestrator.services.thumbnails import Thumbnails
from orchestrator.settings import Settings


def build_container_watch(adapters: Adapters) -> ContainerWatch:
    return ContainerWatch(runtime=adapters.runtime, store=SqlContainerStore(adapters.database), clock=adapters.clock)


def build_thumbnails(adapters: Adapters) -> Thumbnails:
    return Thumbnails(samples=SqlSampleStore(adapters.database), thumbnails=adapters.thumbnails)


def build_deliveries(adapters: Adapters, settings: Settings) -> Deliveries | None:
    if not settings.webhooks:
        return None
    return Deliveries(
        outbox=SqlOutbox(adapters.database),
        sender=GuardedSender(allowed=settings.webhook_receivers),
        clock=adapters.clock,
    )
