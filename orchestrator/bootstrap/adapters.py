"""Which adapter stands behind each port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.docker.runtime import DockerContainerRuntime
from orchestrator.adapters.filesystem.artifact_store import FilesystemArtifactStore
from orchestrator.adapters.filesystem.dataset_files import FilesystemDatasetFiles
from orchestrator.adapters.filesystem.model_store import FilesystemModelStore
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.thumbnails import FilesystemThumbnails
from orchestrator.adapters.filesystem.workspace import FilesystemWorkspace
from orchestrator.adapters.memory import FixedInventory
from orchestrator.adapters.nvml.inventory import MemoryGauge, NvmlInventory
from orchestrator.adapters.prometheus import PrometheusMeter
from orchestrator.adapters.sql import (
    FencedDatabase,
    SqlDatasetStore,
    SqlJobStore,
    SqlLeadership,
    SqlRecordStore,
    SqlTokenStore,
    SqlVersionStore,
    SqlWakeUp,
    connect,
)
from orchestrator.adapters.sql import migrate as migrate_database
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.thread_steps import ThreadSteps
from orchestrator.adapters.wake_up import ThreadWakeUp
from orchestrator.domain.dataset import UploadLimits
from orchestrator.domain.scheduling import CPU_DEVICE_PREFIX
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.dataset_store import DatasetStore
from orchestrator.ports.device_inventory import DeviceInventory
from orchestrator.settings import Settings
from orchestrator.supabase_mode import SupabaseMode
from orchestrator.values import container_user


@dataclass(frozen=True, slots=True)
class Adapters:
    database: Database
    jobs: SqlJobStore
    records: SqlRecordStore
    datasets: DatasetStore
    versions: SqlVersionStore
    tokens: SqlTokenStore
    supabase: SupabaseMode | None
    artifacts: FilesystemArtifactStore
    thumbnails: FilesystemThumbnails
    dataset_files: FilesystemDatasetFiles
    models: FilesystemModelStore
    workspace: FilesystemWorkspace
    runtime: ContainerRuntime
    clock: SystemClock
    wake_up: ThreadWakeUp
    submissions: SqlWakeUp
    steps: ThreadSteps
    meter: PrometheusMeter


def build_adapters(settings: Settings) -> Adapters:
    data_dir = settings.data_dir.resolve()
    supabase = SupabaseMode.of(settings)
    database = migrated(settings)
    owner = Owner.parse(container_user(settings))
    wake_up = ThreadWakeUp()
    return Adapters(
        database=database,
        jobs=SqlJobStore(database),
        records=SqlRecordStore(database),
        datasets=supabase.dataset_store(database) if supabase else SqlDatasetStore(database),
        versions=SqlVersionStore(database),
        tokens=SqlTokenStore(database),
        supabase=supabase,
        artifacts=FilesystemArtifactStore(data_dir),
        thumbnails=FilesystemThumbnails(data_dir),
        dataset_files=FilesystemDatasetFiles(data_dir, limits=UploadLimits(max_bytes=settings.max_upload_bytes)),
        models=FilesystemModelStore(data_dir, catalogue=settings.catalogue, owner=owner),
        workspace=FilesystemWorkspace(data_dir, owner=owner),
        runtime=container_runtime(settings),
        clock=SystemClock(),
        wake_up=wake_up,
        submissions=SqlWakeUp(database, here=wake_up),
        steps=ThreadSteps(),
        meter=PrometheusMeter(),
    )


def fenced(adapters: Adapters, leadership: SqlLeadership) -> Adapters:
    """The orchestrator's half: it writes only while its term is the store's."""
    database = FencedDatabase(adapters.database, term=lambda: leadership.number)
    return replace(adapters, database=database, jobs=SqlJobStore(database), records=SqlRecordStore(database))


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
    named = [word.strip() for word in settings.gpus.split(",") if word.strip()]
    return FixedInventory(named, measure=MemoryGauge().read)


def migrate(settings: Settings, note: Callable[[str], None] = lambda _: None) -> str:
    """Bring the store to the newest schema; returns its revision. `note` is told what it could not be given."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = connect(settings.store_url)
    try:
        return migrate_database(database, note)
    finally:
        database.close()


def migrated(settings: Settings) -> Database:
    migrate(settings)
    return connect(settings.store_url)
