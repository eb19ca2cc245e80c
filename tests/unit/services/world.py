"""A whole orchestrator over a real SQLite store; engine, disk and time are played by the test."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from orchestrator.adapters.memory import (
    FixedInventory,
    InlineSteps,
    ManualClock,
    MemoryArtifactStore,
    MemoryContainerRuntime,
    MemoryDatasetFiles,
    MemoryDisk,
    MemoryModelFiles,
    MemoryModelStore,
    MemoryObjectStore,
    MemoryPresetStore,
    MemoryWorkspace,
)
from orchestrator.adapters.prometheus import PrometheusMeter
from orchestrator.adapters.sql import (
    SqlDatasetStore,
    SqlDownloadStore,
    SqlExperimentStore,
    SqlJobStore,
    SqlModelRegistry,
    SqlRecordStore,
    SqlTrash,
    SqlVersionStore,
)
from orchestrator.adapters.sql.engine import Database
from orchestrator.domain.container import Container, ContainerState
from orchestrator.domain.deletion import UndoPolicy
from orchestrator.domain.estimates import Tariff
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Job
from orchestrator.domain.model import ModelSource
from orchestrator.domain.reconciliation import Policy
from orchestrator.domain.retry import RetryPolicy
from orchestrator.domain.scheduling import SchedulingPolicy
from orchestrator.domain.training import TrainingConfig, TrainingType
from orchestrator.ports.job_store import JobStore
from orchestrator.services.builtin_models import BuiltinModels
from orchestrator.services.checkpoints import Checkpoints
from orchestrator.services.collect import Collect
from orchestrator.services.container_settings import ContainerSettings
from orchestrator.services.drafts import Drafts, SubmitRequest
from orchestrator.services.engine_watch import EngineWatch
from orchestrator.services.estimates import Estimates
from orchestrator.services.ingest import Ingest
from orchestrator.services.jobs import Jobs
from orchestrator.services.launch import Launch
from orchestrator.services.live_checkpoints import LiveCheckpoints
from orchestrator.services.models import ModelHolds, Models
from orchestrator.services.plans import Plans
from orchestrator.services.queue import Queue
from orchestrator.services.reconciler import Pass, Reconciler
from orchestrator.services.schedule import Schedule
from orchestrator.services.staging import Staging, StagingLimits
from orchestrator.services.sweep import Sweep
from tests.factories import make_dataset, make_limits, make_model, picture_bytes, upload

PICTURE = picture_bytes()
ALICE, BOB, ADMIN = Identity("alice"), Identity("bob"), Identity("root", is_admin=True)
READY_MODEL = make_model()
MISSING_MODEL = make_model(id="local/missing", source=ModelSource.LOCAL)
HUB_MODEL = make_model(id="org/model", source=ModelSource.HUGGINGFACE, revision="main")
UNBUILT_MODEL = make_model(id="lorry/unbuilt")
ORPHAN_GRACE_SECONDS = 600
MIN_FREE_BYTES = 1024**3
POLICY = Policy(launch_grace_seconds=300, stop_grace_seconds=60)
SCHEDULING_POLICY = SchedulingPolicy(max_active_per_user=2)
RETRY_POLICY = RetryPolicy(max_retries=3, first_delay_seconds=10)


class CountingWakeUp:
    def __init__(self) -> None:
        self.count = 0

    def notify(self) -> None:
        self.count += 1

    def wait(self, timeout_seconds: float) -> bool:
        """Nobody waits here."""
        return False


class World:
    def __init__(self, database: Database, *, devices: int = 4) -> None:
        self.clock = ManualClock()
        self.meter = PrometheusMeter()
        self.engine = MemoryContainerRuntime(clock=self.clock)
        self.disk = MemoryDisk()
        self.workspace = MemoryWorkspace()
        self.shared_cache_bytes = 0
        self.artifacts = MemoryArtifactStore(self.workspace)
        self.files = MemoryDatasetFiles()
        self.objects = MemoryObjectStore()
        self.max_dataset_bytes = 1024**2
        self.models = MemoryModelStore([READY_MODEL, UNBUILT_MODEL, MISSING_MODEL, HUB_MODEL], ready=[READY_MODEL])
        self.devices = [f"cpu-{number}" for number in range(devices)]
        self.wake_up = CountingWakeUp()
        self.store, self.records = SqlJobStore(database), SqlRecordStore(database)
        self.datasets, self.versions = SqlDatasetStore(database), SqlVersionStore(database)
        self.registry = SqlModelRegistry(database)
        self.downloads, self.model_files = SqlDownloadStore(database), MemoryModelFiles(self.models)
        self.model_holds = ModelHolds(store=self.models, downloads=self.downloads)
        self.queue = self.new_queue(self.store)
        models = Models(store=self.models, files=self.model_files, downloads=self.downloads, clock=self.clock)
        estimates = Estimates(jobs=self.store, records=self.records, clock=self.clock, tariff=Tariff(None))
        self.jobs = Jobs(
            jobs=self.store,
            trash=SqlTrash(database),
            undo=UndoPolicy(timedelta(hours=1)),
            records=self.records,
            versions=self.versions,
            models=models,
            drafts=Drafts(
                datasets=self.datasets,
                models=models,
                presets=MemoryPresetStore(),
                experiments=SqlExperimentStore(database),
                queue=self.queue,
                clock=self.clock,
            ),
            plans=Plans(jobs=self.store, records=self.records, queue=self.queue, estimates=estimates, disk=self.disk),
            estimates=estimates,
            clock=self.clock,
            wake_up=self.wake_up,
            queue=self.queue,
        )
        self.reconciler = self.restarted()

    def new_queue(self, jobs: JobStore) -> Queue:
        return Queue(
            jobs=jobs,
            records=self.records,
            clock=self.clock,
            policy=SCHEDULING_POLICY,
            model_holds=self.model_holds,
        )

    def restarted(self, runtime: Any = None) -> Reconciler:
        """A new orchestrator process over the same store and engine; `runtime` stands in for the engine."""
        engine = runtime or self.engine
        settings = ContainerSettings(
            instance="test",
            image="training-image",
            user="10001:10001",
            limits=make_limits(),
            shared_cache_bytes=self.shared_cache_bytes,
        )
        launcher = Launch(
            jobs=self.store,
            datasets=self.datasets,
            versions=self.versions,
            dataset_files=self.files,
            models=BuiltinModels(store=self.models, runtime=engine, settings=settings),
            registry=self.registry,
            checkpoints=Checkpoints(records=self.records, artifacts=self.artifacts, workspace=self.workspace),
            workspace=self.workspace,
            runtime=engine,
            clock=self.clock,
            settings=settings,
        )
        inventory = FixedInventory(self.devices)
        collect = Collect(records=self.records, artifacts=self.artifacts, clock=self.clock)
        self.reconciler = Reconciler(
            jobs=self.store,
            runtime=engine,
            engine_watch=EngineWatch(
                records=self.records,
                runtime=engine,
                inventory=inventory,
                disk=self.disk,
                clock=self.clock,
                image="training-image",
                min_free_bytes=MIN_FREE_BYTES,
            ),
            schedule=Schedule(
                jobs=self.store,
                records=self.records,
                inventory=inventory,
                clock=self.clock,
                policy=SCHEDULING_POLICY,
                model_holds=self.model_holds,
                staging=self.staging(),
            ),
            launcher=launcher,
            ingest=Ingest(
                jobs=self.store,
                collect=collect,
                workspace=self.workspace,
                runtime=engine,
                clock=self.clock,
                meter=self.meter,
            ),
            collect=collect,
            live_checkpoints=LiveCheckpoints(jobs=self.store, records=self.records, collect=collect, clock=self.clock),
            steps=InlineSteps(),
            wake_up=self.wake_up,
            sweep=Sweep(jobs=self.store, runtime=engine, clock=self.clock, orphan_grace_seconds=ORPHAN_GRACE_SECONDS),
            clock=self.clock,
            meter=self.meter,
            policy=POLICY,
            retry_policy=RETRY_POLICY,
        )
        return self.reconciler

    def staging(self) -> Staging:
        return Staging(
            jobs=self.store,
            datasets=self.datasets,
            versions=self.versions,
            files=self.files,
            objects=self.objects,
            disk=self.disk,
            steps=InlineSteps(),
            wake_up=self.wake_up,
            clock=self.clock,
            limits=StagingLimits(max_bytes=self.max_dataset_bytes, min_free_bytes=MIN_FREE_BYTES),
        )

    def run_once(self, *, after_seconds: float = 1) -> Pass:
        self.clock.advance(after_seconds)
        return self.reconciler.run_once()

    # -- what users do --------------------------------------------------------------------------------------------

    def dataset(self, owner: Identity = ALICE, *, items: int = 1, **changes: Any) -> str:
        """The id of a new dataset; `changes` are made to every item."""
        dataset = make_dataset(user_id=owner.user_id, item_count=items)
        stored = self.files.store(dataset.id, upload({f"{number:05d}.png": PICTURE for number in range(items)}))
        self.datasets.add(dataset, [replace(item, **changes) for item in stored])
        return dataset.id

    def request(self, owner: Identity = ALICE, **changes: Any) -> SubmitRequest:
        defaults: dict[str, Any] = {
            "type": TrainingType.LORA,
            "base_model": READY_MODEL.id,
            "config": TrainingConfig(),
        }
        if "dataset_id" not in changes:
            defaults["dataset_id"] = self.dataset(owner)
        return SubmitRequest(**defaults | changes)

    def submit(self, owner: Identity = ALICE, **changes: Any) -> str:
        """The id of a new job, a second younger than the last."""
        self.clock.advance(1)
        return self.jobs.submit(owner, self.request(owner, **changes)).id

    def cancel(self, job_id: str) -> None:
        self.jobs.cancel(ADMIN, job_id, reason="enough")

    # -- what trainers do -----------------------------------------------------------------------------------------

    def write_event(self, job_id: str, type_: str, **fields: Any) -> None:
        line = json.dumps({"v": 1, "type": type_, "at": "2026-01-01T00:00:00Z", **fields})
        self.workspace.write(job_id, "events.jsonl", line.encode() + b"\n")

    def leave_adapter(self, job_id: str, *, claimed_sha256: str | None = None) -> None:
        data = b"weights"
        self.workspace.write(job_id, "adapter.safetensors", data)
        sha256 = claimed_sha256 or hashlib.sha256(data).hexdigest()
        claim = {"path": "adapter.safetensors", "format": "kohya", "sha256": sha256, "size_bytes": len(data)}
        self.write_event(job_id, "result", adapters=[claim], steps=10)

    def exit(self, job_id: str, exit_code: int, **facts: Any) -> None:
        self.engine.finish(self.container(job_id).id, exit_code, **facts)

    def complete(self, job_id: str) -> None:
        self.leave_adapter(job_id)
        self.exit(job_id, 0)

    # -- what the test looks at -----------------------------------------------------------------------------------

    def job(self, job_id: str) -> Job:
        return self.store.get(job_id)

    def containers(self) -> list[Container]:
        """All of them, whole, on the engine."""
        listed = self.engine.snapshot().containers
        return [found for each in listed if (found := self.engine.inspect(each.id)) is not None]

    def container(self, job_id: str) -> Container:
        return next(each for each in self.containers() if each.job_id == job_id)

    def is_running(self, job_id: str) -> bool:
        return any(each.job_id == job_id and each.state is ContainerState.RUNNING for each in self.containers())

    def event_types(self, job_id: str) -> list[str]:
        return [event.type for event in self.records.events(job_id)]
