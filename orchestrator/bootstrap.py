"""The composition root: the only file that names adapters. Settings go in, working services come out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.docker.event_stream import EngineEvents
from orchestrator.adapters.docker.runtime import DockerContainerRuntime
from orchestrator.adapters.filesystem.artifact_store import FilesystemArtifactStore
from orchestrator.adapters.filesystem.data_folder import FilesystemDataFolder
from orchestrator.adapters.filesystem.dataset_files import FilesystemDatasetFiles
from orchestrator.adapters.filesystem.disk import FilesystemDisk
from orchestrator.adapters.filesystem.model_store import FilesystemModelStore
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.workspace import FilesystemWorkspace
from orchestrator.adapters.memory import FixedInventory
from orchestrator.adapters.nvml.inventory import NvmlInventory
from orchestrator.adapters.prometheus import PrometheusMeter
from orchestrator.adapters.sql import (
    FencedDatabase,
    SqlAuditLog,
    SqlDatasetStore,
    SqlFigureStore,
    SqlJobStore,
    SqlLeadership,
    SqlRecordStore,
    SqlRetentionStore,
    SqlTokenStore,
    SqlUploadStore,
    SqlVersionStore,
    SqlWakeUp,
    connect,
)
from orchestrator.adapters.sql import is_migrated as is_database_migrated
from orchestrator.adapters.sql import migrate as migrate_database
from orchestrator.adapters.sql import migration_sql as database_migration_sql
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.thread_steps import ThreadSteps
from orchestrator.adapters.wake_up import ThreadWakeUp
from orchestrator.domain.dataset import UploadLimits
from orchestrator.domain.retention import Kind, RetentionPolicy
from orchestrator.domain.retry import RetryPolicy
from orchestrator.domain.scheduling import CPU_DEVICE_PREFIX
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.dataset_store import DatasetStore
from orchestrator.ports.device_inventory import DeviceInventory
from orchestrator.services import Services
from orchestrator.services.audit import Audit
from orchestrator.services.builtin_models import BuiltinModels
from orchestrator.services.cleanup import Cleanup
from orchestrator.services.collect import Collect
from orchestrator.services.datasets import Datasets
from orchestrator.services.engine_watch import EngineWatch
from orchestrator.services.identity import EitherToken, LorryTokens
from orchestrator.services.ingest import Ingest
from orchestrator.services.jobs import Jobs
from orchestrator.services.launch import Launch
from orchestrator.services.models import Models
from orchestrator.services.orchestration import Orchestration
from orchestrator.services.queue import Queue
from orchestrator.services.readiness import Readiness
from orchestrator.services.reconciler import Reconciler
from orchestrator.services.records import Records
from orchestrator.services.retention import Retention
from orchestrator.services.schedule import Schedule
from orchestrator.services.survey import Survey
from orchestrator.services.sweep import Sweep
from orchestrator.services.uploads import Uploads
from orchestrator.settings import Settings
from orchestrator.supabase_mode import SupabaseMode
from orchestrator.values import container_settings, container_user, reconciliation_policy, scheduling_policy


@dataclass(frozen=True, slots=True)
class Lorry:
    """Both halves over one set of adapters. Nothing runs until it is asked to."""

    services: Services
    orchestration: Orchestration
    engine_events: EngineEvents
    retention: Retention
    uploads: Uploads | None
    meter: PrometheusMeter
    database: Database
    supabase: SupabaseMode | None
    wake_up: ThreadWakeUp
    submissions: SqlWakeUp

    def reconcile_forever(self, stop: threading.Event) -> None:
        """Standby while another process orchestrates on this store, then pass after pass, until `stop` is set."""
        # A daemon: a deletion that takes minutes does not keep the process from ending; the next one goes on with it.
        keeping = (stop, lambda: self.orchestration.is_leading)
        for keeper in (self.retention, self.uploads):
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
    adapters = _build_adapters(settings)
    builtin_models = BuiltinModels(
        store=adapters.models, runtime=adapters.runtime, settings=container_settings(settings)
    )
    leadership = SqlLeadership(adapters.database)
    led = _fenced(adapters, leadership)
    return Lorry(
        services=_build_services(adapters, settings),
        orchestration=Orchestration(
            leadership=leadership,
            reconciler=_build_reconciler(led, builtin_models, settings),
            builtin_models=builtin_models,
            wake_up=adapters.wake_up,
            steps=adapters.steps,
            poll_seconds=settings.poll_seconds,
            meter=adapters.meter,
        ),
        engine_events=EngineEvents(base_url=settings.docker_host, instance=settings.instance, wake_up=adapters.wake_up),
        retention=_build_retention(led, settings),
        uploads=_build_uploads(led),
        meter=adapters.meter,
        database=adapters.database,
        supabase=adapters.supabase,
        wake_up=adapters.wake_up,
        submissions=adapters.submissions,
    )


@dataclass(frozen=True, slots=True)
class _Adapters:
    database: Database
    jobs: SqlJobStore
    records: SqlRecordStore
    datasets: DatasetStore
    versions: SqlVersionStore
    tokens: SqlTokenStore
    supabase: SupabaseMode | None
    artifacts: FilesystemArtifactStore
    dataset_files: FilesystemDatasetFiles
    models: FilesystemModelStore
    workspace: FilesystemWorkspace
    runtime: ContainerRuntime
    clock: SystemClock
    wake_up: ThreadWakeUp
    submissions: SqlWakeUp
    steps: ThreadSteps
    meter: PrometheusMeter


def _build_adapters(settings: Settings) -> _Adapters:
    data_dir = settings.data_dir.resolve()
    supabase = SupabaseMode.of(settings)
    database = _migrated(settings)
    owner = Owner.parse(container_user(settings))
    wake_up = ThreadWakeUp()
    return _Adapters(
        database=database,
        jobs=SqlJobStore(database),
        records=SqlRecordStore(database),
        datasets=supabase.dataset_store(database) if supabase else SqlDatasetStore(database),
        versions=SqlVersionStore(database),
        tokens=SqlTokenStore(database),
        supabase=supabase,
        artifacts=FilesystemArtifactStore(data_dir),
        dataset_files=FilesystemDatasetFiles(data_dir, limits=UploadLimits(max_bytes=settings.max_upload_bytes)),
        models=FilesystemModelStore(data_dir, catalogue=settings.catalogue, owner=owner),
        workspace=FilesystemWorkspace(data_dir, owner=owner),
        runtime=container_runtime(settings),
        clock=SystemClock(),
        wake_up=wake_up,
        submissions=SqlWakeUp(database, here=wake_up),
        steps=ThreadSteps(wake_up=wake_up),
        meter=PrometheusMeter(),
    )


def _build_services(adapters: _Adapters, settings: Settings) -> Services:
    figures = SqlFigureStore(adapters.database)
    # Where uploads go: in a container, the API sees only parts of the data folder, each mounted for itself.
    disk = FilesystemDisk(settings.data_dir / "datasets", settings.data_dir)
    own_tokens = LorryTokens(store=adapters.tokens, clock=adapters.clock)
    queue = Queue(
        jobs=adapters.jobs, records=adapters.records, clock=adapters.clock, policy=scheduling_policy(settings)
    )
    return Services(
        jobs=Jobs(
            jobs=adapters.jobs,
            records=adapters.records,
            datasets=adapters.datasets,
            versions=adapters.versions,
            models=adapters.models,
            clock=adapters.clock,
            wake_up=adapters.submissions,
            queue=queue,
        ),
        queue=queue,
        records=Records(
            jobs=adapters.jobs, records=adapters.records, artifacts=adapters.artifacts, workspace=adapters.workspace
        ),
        datasets=Datasets(
            store=adapters.datasets,
            versions=adapters.versions,
            files=adapters.dataset_files,
            jobs=adapters.jobs,
            clock=adapters.clock,
        ),
        models=Models(store=adapters.models),
        tokens=EitherToken(own=own_tokens, other=adapters.supabase.tokens) if adapters.supabase else own_tokens,
        audit=Audit(log=SqlAuditLog(adapters.database)),
        readiness=Readiness(
            store=figures,
            records=adapters.records,
            disk=disk,
            clock=adapters.clock,
            identity=adapters.supabase.tokens if adapters.supabase else None,
            min_free_bytes=settings.min_free_bytes,
        ),
        survey=Survey(store=figures, records=adapters.records, disk=disk, clock=adapters.clock),
    )


def _fenced(adapters: _Adapters, leadership: SqlLeadership) -> _Adapters:
    """The orchestrator's half: it writes only while its term is the store's."""
    database = FencedDatabase(adapters.database, term=lambda: leadership.number)
    return replace(adapters, database=database, jobs=SqlJobStore(database), records=SqlRecordStore(database))


def _build_reconciler(adapters: _Adapters, builtin_models: BuiltinModels, settings: Settings) -> Reconciler:
    inventory = device_inventory(settings)
    return Reconciler(
        jobs=adapters.jobs,
        runtime=adapters.runtime,
        engine_watch=EngineWatch(
            records=adapters.records,
            runtime=adapters.runtime,
            inventory=inventory,
            disk=FilesystemDisk(settings.data_dir),
            clock=adapters.clock,
            image=settings.image,
            min_free_bytes=settings.min_free_bytes,
        ),
        schedule=_build_schedule(adapters, inventory, settings),
        launcher=Launch(
            jobs=adapters.jobs,
            datasets=adapters.datasets,
            versions=adapters.versions,
            dataset_files=adapters.dataset_files,
            models=builtin_models,
            workspace=adapters.workspace,
            runtime=adapters.runtime,
            clock=adapters.clock,
            settings=container_settings(settings),
        ),
        ingest=Ingest(
            jobs=adapters.jobs,
            workspace=adapters.workspace,
            runtime=adapters.runtime,
            clock=adapters.clock,
            meter=adapters.meter,
        ),
        collect=Collect(records=adapters.records, artifacts=adapters.artifacts, clock=adapters.clock),
        steps=adapters.steps,
        sweep=Sweep(
            jobs=adapters.jobs,
            runtime=adapters.runtime,
            clock=adapters.clock,
            orphan_grace_seconds=settings.orphan_grace_seconds,
            is_dry_run=settings.orphan_dry_run,
        ),
        clock=adapters.clock,
        meter=adapters.meter,
        policy=reconciliation_policy(settings),
        retry_policy=RetryPolicy(max_retries=settings.max_retries, first_delay_seconds=settings.retry_delay_seconds),
    )


def _build_schedule(adapters: _Adapters, inventory: DeviceInventory, settings: Settings) -> Schedule:
    return Schedule(
        jobs=adapters.jobs,
        records=adapters.records,
        inventory=inventory,
        clock=adapters.clock,
        policy=scheduling_policy(settings),
    )


def _build_retention(adapters: _Adapters, settings: Settings) -> Retention:
    days = {kind: getattr(settings, f"retain_{kind}_days") for kind in Kind}
    return Retention(
        store=SqlRetentionStore(adapters.database),
        records=adapters.records,
        artifacts=adapters.artifacts,
        folder=FilesystemDataFolder(settings.data_dir.resolve()),
        clock=adapters.clock,
        policy=RetentionPolicy(days),
    )


def _build_uploads(adapters: _Adapters) -> Uploads | None:
    if adapters.supabase is None or adapters.supabase.bucket is None:
        return None
    return Uploads(
        store=SqlUploadStore(adapters.database),
        artifacts=adapters.artifacts,
        objects=adapters.supabase.bucket,
        clock=adapters.clock,
    )


def cleanup_service(settings: Settings) -> Cleanup:
    """For `lorry cleanup`, which may run beside an orchestrator."""
    adapters = _build_adapters(settings)
    return Cleanup(
        retention=_build_retention(adapters, settings),
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


def migrate(settings: Settings, note: Callable[[str], None] = lambda _: None) -> str:
    """Bring the store to the newest schema; returns its revision. `note` is told what it could not be given."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = connect(settings.store_url)
    try:
        return migrate_database(database, note)
    finally:
        database.close()


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
    return LorryTokens(store=SqlTokenStore(_migrated(settings)), clock=SystemClock())


def container_runtime(settings: Settings) -> ContainerRuntime:
    return DockerContainerRuntime(
        base_url=settings.docker_host,
        instance=settings.instance,
        allowed_images=settings.allowed_images or (settings.image,),
    )


def device_inventory(settings: Settings) -> DeviceInventory:
    """What `gpus` asks for: found by NVML, none (CPU slots), all GPUs as one device, or the UUIDs it lists."""
    if settings.gpus == "auto":
        return NvmlInventory(cpu_slots=settings.cpu_slots)
    if settings.gpus == "none":
        return FixedInventory([f"{CPU_DEVICE_PREFIX}{number}" for number in range(settings.cpu_slots)])
    return FixedInventory([word.strip() for word in settings.gpus.split(",") if word.strip()])


def _migrated(settings: Settings) -> Database:
    migrate(settings)
    return connect(settings.store_url)
