"""The composition root: the only package that names adapters. Settings go in, working services come out."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.docker.event_stream import EngineEvents
from orchestrator.adapters.filesystem.data_folder import FilesystemDataFolder
from orchestrator.adapters.prometheus import PrometheusMeter
from orchestrator.adapters.sql import (
    SqlAuditLog,
    SqlLeadership,
    SqlRetentionStore,
    SqlTokenStore,
    SqlWakeUp,
    connect,
)
from orchestrator.adapters.sql import is_migrated as is_database_migrated
from orchestrator.adapters.sql import migration_sql as database_migration_sql
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.wake_up import ThreadWakeUp
from orchestrator.bootstrap.adapters import (
    build_adapters,
    container_runtime,
    device_inventory,
    fenced,
    migrate,
    migrated,
)
from orchestrator.bootstrap.keepers import build_container_watch, build_deliveries, build_thumbnails
from orchestrator.bootstrap.models import build_model_cache, build_model_downloads
from orchestrator.bootstrap.orchestration import build_reconciler, build_retention
from orchestrator.bootstrap.services import build_services
from orchestrator.bootstrap.storage import build_uploads
from orchestrator.services import Services
from orchestrator.services.builtin_models import BuiltinModels
from orchestrator.services.cleanup import Cleanup
from orchestrator.services.container_watch import ContainerWatch
from orchestrator.services.deliveries import Deliveries
from orchestrator.services.identity import LorryTokens
from orchestrator.services.model_cache import ModelCache
from orchestrator.services.model_downloads import ModelDownloads
from orchestrator.services.orchestration import Orchestration
from orchestrator.services.retention import Retention
from orchestrator.services.sweep import Sweep
from orchestrator.services.thumbnails import Thumbnails
from orchestrator.services.uploads import Uploads
from orchestrator.settings import Settings
from orchestrator.supabase_mode import SupabaseMode
from orchestrator.values import container_settings


@dataclass(frozen=True, slots=True)
class Lorry:
    """Both halves over one set of adapters. Nothing runs until it is asked to."""

    services: Services
    orchestration: Orchestration
    engine_events: EngineEvents
    model_downloads: ModelDownloads
    retention: Retention
    uploads: Uploads | None
    deliveries: Deliveries | None
    container_watch: ContainerWatch
    thumbnails: Thumbnails
    meter: PrometheusMeter
    database: Database
    supabase: SupabaseMode | None
    wake_up: ThreadWakeUp
    submissions: SqlWakeUp

    def reconcile_forever(self, stop: threading.Event) -> None:
        """Standby while another process orchestrates on this store, then pass after pass, until `stop` is set."""
        # A daemon: a deletion that takes minutes does not keep the process from ending; the next one goes on with it.
        keeping = (stop, lambda: self.orchestration.is_leading)
        beside = (self.uploads, self.deliveries, self.container_watch, self.thumbnails)
        for keeper in (self.model_downloads, self.retention, *beside):
            if keeper is not None:
                threading.Thread(target=keeper.run_until, args=keeping, name=type(keeper).__name__, daemon=True).start()
        with self.engine_events, self.submissions:
            self.orchestration.run(stop)

    def close(self) -> None:
        self.database.close()
        if self.supabase is not None:
            self.supabase.close()


def build(settings: Settings) -> Lorry:
    """Everything, over a migrated store. Raises StoreUnavailable; an engine that is down is no reason not to start."""
    adapters = build_adapters(settings)
    builtin_models = BuiltinModels(
        store=adapters.models, runtime=adapters.runtime, settings=container_settings(settings)
    )
    leadership = SqlLeadership(adapters.database)
    led = fenced(adapters, leadership)
    return Lorry(
        services=build_services(adapters, settings),
        orchestration=Orchestration(
            leadership=leadership,
            reconciler=build_reconciler(led, builtin_models, settings),
            builtin_models=builtin_models,
            wake_up=adapters.wake_up,
            steps=adapters.steps,
            poll_seconds=settings.poll_seconds,
            meter=adapters.meter,
        ),
        engine_events=EngineEvents(base_url=settings.docker_host, instance=settings.instance, wake_up=adapters.wake_up),
        model_downloads=build_model_downloads(led, settings),
        retention=build_retention(led, settings),
        uploads=build_uploads(led),
        deliveries=build_deliveries(led, settings),
        container_watch=build_container_watch(led),
        thumbnails=build_thumbnails(led),
        meter=adapters.meter,
        database=adapters.database,
        supabase=adapters.supabase,
        wake_up=adapters.wake_up,
        submissions=adapters.submissions,
    )


def cleanup_service(settings: Settings) -> Cleanup:
    """For `lorry cleanup`, which may run beside an orchestrator."""
    adapters = build_adapters(settings)
    return Cleanup(
        retention=build_retention(adapters, settings),
        sweep=Sweep(
            jobs=adapters.jobs,
            runtime=adapters.runtime,
            clock=adapters.clock,
            orphan_grace_seconds=settings.orphan_grace_seconds,
            is_thorough=True,
        ),
        jobs=adapters.jobs,
        runtime=adapters.runtime,
        store=SqlRetentionStore(adapters.database),
        folder=FilesystemDataFolder(settings.data_dir.resolve()),
        audit_log=SqlAuditLog(adapters.database),
        clock=adapters.clock,
    )


def model_cache(settings: Settings) -> ModelCache:
    """For `lorry models verify` and `prune`, which may run beside an orchestrator."""
    return build_model_cache(build_adapters(settings), settings)


def migration_sql(since: str | None) -> str:
    """What `migrate` would do to a Postgres at the revision `since`, or to an empty one, as SQL."""
    return database_migration_sql(since)


def is_migrated(settings: Settings) -> bool:
    database = connect(settings.store_url)
    try:
        return is_database_migrated(database)
    finally:
        database.close()


def identity_service(settings: Settings) -> LorryTokens:
    """For `lorry token create`, which may be the first command on a new machine: the store is migrated."""
    return LorryTokens(store=SqlTokenStore(migrated(settings)), clock=SystemClock())


__all__ = [
    "Lorry",
    "build",
    "cleanup_service",
    "container_runtime",
    "device_inventory",
    "identity_service",
    "is_migrated",
    "migrate",
    "migration_sql",
    "model_cache",
]
