"""What the orchestrator drives."""

from __future__ import annotations

from orchestrator.adapters.filesystem.data_folder import FilesystemDataFolder
from orchestrator.adapters.filesystem.disk import FilesystemDisk
from orchestrator.adapters.sql import (
    SqlModelRegistry,
    SqlRetentionStore,
    SqlTrash,
)
from orchestrator.bootstrap.adapters import Adapters, device_inventory
from orchestrator.bootstrap.models import model_holds
from orchestrator.bootstrap.storage import build_staging
from orchestrator.domain.retention import Kind, RetentionPolicy
from orchestrator.domain.retry import RetryPolicy
from orchestrator.ports.device_inventory import DeviceInventory
from orchestrator.services.builtin_models import BuiltinModels
from orchestrator.services.checkpoints import Checkpoints
from orchestrator.services.collect import Collect
from orchestrator.services.engine_watch import EngineWatch
from orchestrator.services.ingest import Ingest
from orchestrator.services.launch import Launch
from orchestrator.services.live_checkpoints import LiveCheckpoints
from orchestrator.services.reconciler import Reconciler
from orchestrator.services.retention import Retention
from orchestrator.services.schedule import Schedule
from orchestrator.services.sweep import Sweep
from orchestrator.settings import Settings
from orchestrator.values import container_settings, reconciliation_policy, scheduling_policy, undo_policy


def build_reconciler(adapters: Adapters, builtin_models: BuiltinModels, settings: Settings) -> Reconciler:
    inventory = device_inventory(settings)
    collect = Collect(records=adapters.records, artifacts=adapters.artifacts, clock=adapters.clock)
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
        launcher=_build_launch(adapters, builtin_models, settings),
        ingest=Ingest(
            jobs=adapters.jobs,
            collect=collect,
            workspace=adapters.workspace,
            runtime=adapters.runtime,
            clock=adapters.clock,
            meter=adapters.meter,
        ),
        collect=collect,
        live_checkpoints=LiveCheckpoints(
            jobs=adapters.jobs, records=adapters.records, collect=collect, clock=adapters.clock
        ),
        steps=adapters.steps,
        wake_up=adapters.wake_up,
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


def _build_launch(adapters: Adapters, builtin_models: BuiltinModels, settings: Settings) -> Launch:
    return Launch(
        jobs=adapters.jobs,
        datasets=adapters.datasets,
        versions=adapters.versions,
        dataset_files=adapters.dataset_files,
        models=builtin_models,
        registry=SqlModelRegistry(adapters.database),
        checkpoints=Checkpoints(records=adapters.records, artifacts=adapters.artifacts, workspace=adapters.workspace),
        workspace=adapters.workspace,
        runtime=adapters.runtime,
        clock=adapters.clock,
        settings=container_settings(settings),
    )


def _build_schedule(adapters: Adapters, inventory: DeviceInventory, settings: Settings) -> Schedule:
    return Schedule(
        jobs=adapters.jobs,
        records=adapters.records,
        inventory=inventory,
        clock=adapters.clock,
        policy=scheduling_policy(settings),
        model_holds=model_holds(adapters),
        staging=build_staging(adapters, settings),
    )


def build_retention(adapters: Adapters, settings: Settings) -> Retention:
    days = {kind: getattr(settings, f"retain_{kind}_days") for kind in Kind}
    return Retention(
        store=SqlRetentionStore(adapters.database),
        trash=SqlTrash(adapters.database),
        undo=undo_policy(settings),
        records=adapters.records,
        artifacts=adapters.artifacts,
        folder=FilesystemDataFolder(settings.data_dir.resolve()),
        clock=adapters.clock,
        policy=RetentionPolicy(days),
    )
