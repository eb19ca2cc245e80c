"""A whole API over a real SQLite store; what lies behind it (engine, files) is played by the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.registry import Collector

from api.app import create_app
from api.options import ApiOptions
from orchestrator.adapters.filesystem.disk import FilesystemDisk
from orchestrator.adapters.memory import (
    ManualClock,
    MemoryArtifactStore,
    MemoryDatasetFiles,
    MemoryDisk,
    MemoryModelFiles,
    MemoryModelStore,
    MemoryPresetStore,
    MemoryThumbnails,
    MemoryWorkspace,
)
from orchestrator.adapters.sql import (
    SqlAnalysisStore,
    SqlArtifactTicketStore,
    SqlAuditLog,
    SqlContainerStore,
    SqlControlStore,
    SqlDatasetStore,
    SqlDownloadStore,
    SqlExperimentStore,
    SqlFigureStore,
    SqlJobStore,
    SqlModelRegistry,
    SqlNewsStore,
    SqlRecordStore,
    SqlTicketStore,
    SqlTokenStore,
    SqlTrash,
    SqlVersionStore,
    SqlWebhookStore,
)
from orchestrator.adapters.sql.engine import Database
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.deletion import UndoPolicy
from orchestrator.domain.estimates import Tariff
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.model import ModelSource
from orchestrator.domain.resources import DeviceMemory
from orchestrator.domain.scheduling import SchedulingPolicy
from orchestrator.ports.job_store import JobFilter
from orchestrator.ports.record_store import EngineStatus
from orchestrator.services import Services
from orchestrator.services.admin import Admin
from orchestrator.services.analysis import Analysis
from orchestrator.services.artifact_tickets import ArtifactTickets
from orchestrator.services.artifacts import Artifacts
from orchestrator.services.audit import Audit
from orchestrator.services.containers import Containers
from orchestrator.services.datasets import Datasets
from orchestrator.services.drafts import Drafts
from orchestrator.services.estimates import Estimates
from orchestrator.services.experiments import Experiments
from orchestrator.services.identity import LorryTokens
from orchestrator.services.jobs import Jobs
from orchestrator.services.models import ModelHolds, Models
from orchestrator.services.plans import Plans
from orchestrator.services.presets import Presets
from orchestrator.services.promotion import Promotion
from orchestrator.services.queue import Queue
from orchestrator.services.readiness import Readiness
from orchestrator.services.records import Records
from orchestrator.services.registry import Registry
from orchestrator.services.reproduction import Reproduction
from orchestrator.services.streams import Streams
from orchestrator.services.survey import Survey
from orchestrator.services.tickets import Tickets
from orchestrator.services.train import Train
from orchestrator.services.webhooks import Webhooks
from tests.factories import make_attempt, make_dataset, make_item, make_model, make_preset

ALICE, BOB = "alice", "bob"
HUB_MODEL = make_model(
    id="org/model",
    source=ModelSource.HUGGINGFACE,
    revision="main",
    size_bytes=4 * 1024**3,
    memory_bytes=2 * 1024**3,
    adapter_bytes=10_000,
)
FLOW_MODEL = make_model(id="lorry/tiny-z-image", family="z-image")
MISSING_MODEL = make_model(id="local/missing", source=ModelSource.LOCAL)
UNLIMITED = "100000/minute"
MIN_FREE_BYTES = 1024**3
UNDO = UndoPolicy(timedelta(hours=1))


@dataclass
class PlayedOrchestrator:
    """Does at once, whenever it is woken, to every queued job what `launches` says."""

    store: SqlJobStore | None = None
    launches: Callable[[PlayedOrchestrator, Job], None] | None = None

    def notify(self) -> None:
        if self.launches is None or self.store is None:
            return
        for job in self.store.list(JobFilter(statuses=(JobStatus.QUEUED,))).jobs:
            self.launches(self, job)

    def wait(self, timeout_seconds: float) -> bool:
        """Nobody waits here."""
        return False

    def claim(self, job: Job) -> Job:
        assert self.store is not None
        devices = (f"cpu-{job.id}",)
        claimed = job.claimed(slot=1, devices=devices, at=job.updated_at)
        return self.store.claim(claimed, make_attempt(job, devices=devices), status_event(job, claimed, "Launching."))

    def start(self, job: Job) -> None:
        assert self.store is not None
        claimed = self.claim(job)
        self.store.save(claimed.running(started_at=job.updated_at, at=job.updated_at))

    def fail_launch(self, job: Job) -> None:
        assert self.store is not None
        claimed = self.claim(job)
        message = "The training image is not on this machine."
        self.store.save(claimed.ended(EndReason.IMAGE_MISSING, at=job.updated_at, message=message))


@dataclass
class Installation:
    """Everything a test of the API may want to reach around it."""

    app: FastAPI
    database: Database
    client: TestClient
    services: Services
    jobs: SqlJobStore
    records: SqlRecordStore
    datasets: SqlDatasetStore
    registry: SqlModelRegistry
    models: MemoryModelStore
    downloads: SqlDownloadStore
    files: MemoryDatasetFiles
    workspace: MemoryWorkspace
    artifacts: MemoryArtifactStore
    thumbnails: MemoryThumbnails
    orchestrator: PlayedOrchestrator
    upload_disk: MemoryDisk
    clock: ManualClock
    tokens: LorryTokens
    issued: dict[str, str] = field(default_factory=dict)

    def token(self, user: str = ALICE) -> str:
        return self.issued.setdefault(user, self.tokens.issue(user))

    def as_user(self, user: str = ALICE) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(user)}"}

    def as_admin(self, user: str = "root") -> dict[str, str]:
        token = self.issued.setdefault(f"{user} (admin)", self.tokens.issue(user, is_admin=True))
        return {"Authorization": f"Bearer {token}"}

    def dataset(self, user: str = ALICE, *, items: int = 10) -> str:
        dataset = make_dataset(user_id=user, item_count=items)
        self.datasets.add(
            dataset, [make_item(dataset.id, file_name=f"{place:05d}.png") for place in range(1, items + 1)]
        )
        return dataset.id

    def body(self, **changes: Any) -> dict[str, Any]:
        """A submission that is right but for `changes`."""
        body = {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}} | changes
        return body if "dataset_id" in body else body | {"dataset_id": self.dataset()}

    def submit(self, user: str = ALICE, **changes: Any) -> str:
        """The id of a new job."""
        body = self.body(**{"dataset_id": self.dataset(user)} | changes)
        answer = self.client.post("/api/training/submit", json=body, headers=self.as_user(user))
        assert answer.status_code == 200, answer.text
        job_id: str = answer.json()["job_id"]
        return job_id

    def webhook(self, user: str = ALICE) -> str:
        """The id of a new webhook."""
        body = {"url": "https://example.com/hook"}
        answer = self.client.post("/api/webhooks", json=body, headers=self.as_user(user))
        webhook_id: str = answer.json()["data"]["id"]
        return webhook_id

    def experiment(self, user: str = ALICE, **changes: Any) -> str:
        """The id of a new experiment."""
        answer = self.client.post("/api/experiments", json={"name": "ranks"} | changes, headers=self.as_user(user))
        assert answer.status_code == 201, answer.text
        experiment_id: str = answer.json()["data"]["id"]
        return experiment_id

    def engine_answers(self, *devices: str, memory: DeviceMemory | None = None) -> None:
        """`memory`: of each device."""
        status = EngineStatus(
            last_pass_at=self.clock.now(),
            engine_id="engine",
            is_image_present=True,
            devices=devices,
            device_memory={device: memory for device in devices if memory is not None},
        )
        self.records.save_engine_status(status)

    def artifact(self, job_id: str, data: bytes = b"weights", name: str = "adapter.safetensors") -> Artifact:
        self.workspace.prepare(job_id, {})
        self.workspace.write(job_id, name, data)
        collected = self.artifacts.collect(job_id)[0]
        artifact = Artifact(
            id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
            job_id=job_id,
            attempt=1,
            kind=ArtifactKind.ADAPTER,
            name=name,
            path=collected.path,
            size_bytes=collected.size_bytes,
            sha256=collected.sha256,
            created_at=self.clock.now(),
        )
        self.records.add_artifacts([artifact])
        return artifact


Install = Callable[..., Installation]


def build_installation(
    database: Database, data_dir: Path, *, measured: tuple[Collector, ...] = (), **options: Any
) -> Installation:
    """`options` are the API's; limits are out of the way unless a test sets them."""
    clock = ManualClock()
    jobs, records = SqlJobStore(database), SqlRecordStore(database)
    datasets, files = SqlDatasetStore(database), MemoryDatasetFiles()
    versions = SqlVersionStore(database)
    registry = SqlModelRegistry(database)
    workspace = MemoryWorkspace()
    artifacts = MemoryArtifactStore(workspace)
    thumbnails = MemoryThumbnails(artifacts)
    store = MemoryModelStore([make_model(), HUB_MODEL, MISSING_MODEL, FLOW_MODEL])
    downloads = SqlDownloadStore(database)
    models = Models(store=store, files=MemoryModelFiles(store), downloads=downloads, clock=clock)
    orchestrator = PlayedOrchestrator(jobs)
    disk, upload_disk = FilesystemDisk(data_dir), MemoryDisk()
    tokens = LorryTokens(store=SqlTokenStore(database), clock=clock)
    artifact_tickets = ArtifactTickets(store=SqlArtifactTicketStore(database), clock=clock)
    queue = Queue(
        jobs=jobs,
        records=records,
        clock=clock,
        policy=SchedulingPolicy(),
        model_holds=ModelHolds(store=store, downloads=downloads),
    )
    experiments, presets = SqlExperimentStore(database), MemoryPresetStore([make_preset()])
    tariff = Tariff(2.0, "EUR")
    analysis = Analysis(jobs=jobs, records=records, store=SqlAnalysisStore(database), clock=clock, tariff=tariff)
    drafts = Drafts(
        datasets=datasets, models=models, presets=presets, experiments=experiments, queue=queue, clock=clock
    )
    estimates = Estimates(jobs=jobs, records=records, clock=clock, tariff=tariff)
    service = Jobs(
        jobs=jobs,
        trash=SqlTrash(database),
        undo=UNDO,
        records=records,
        versions=versions,
        models=models,
        drafts=drafts,
        plans=Plans(jobs=jobs, records=records, queue=queue, estimates=estimates, disk=upload_disk),
        estimates=estimates,
        clock=clock,
        wake_up=orchestrator,
        queue=queue,
    )
    services = Services(
        jobs=service,
        train=Train(store=jobs, jobs=service, wake_up=orchestrator, clock=clock),
        queue=queue,
        analysis=analysis,
        experiments=Experiments(store=experiments, jobs=jobs, analysis=analysis, clock=clock),
        presets=Presets(store=presets),
        records=Records(jobs=jobs, records=records, artifacts=artifacts, workspace=workspace, tickets=artifact_tickets),
        datasets=Datasets(
            store=datasets,
            versions=versions,
            files=files,
            jobs=jobs,
            clock=clock,
            disk=upload_disk,
            min_free_bytes=MIN_FREE_BYTES,
        ),
        models=models,
        tokens=tokens,
        sign_in=tokens,
        artifacts=Artifacts(jobs=jobs, records=records, artifacts=artifacts, thumbnails=thumbnails, models=store),
        artifact_tickets=artifact_tickets,
        registry=Registry(registry=registry, clock=clock),
        promotion=Promotion(jobs=jobs, records=records, artifacts=artifacts, registry=registry, clock=clock),
        reproduction=Reproduction(
            jobs=jobs,
            records=records,
            versions=versions,
            models=models,
            model_store=store,
            registry=registry,
            clock=clock,
            wake_up=orchestrator,
        ),
        audit=Audit(log=SqlAuditLog(database)),
        readiness=Readiness(store=SqlFigureStore(database), records=records, disk=disk, clock=clock, min_free_bytes=0),
        webhooks=Webhooks(store=SqlWebhookStore(database), clock=clock, are_allowed=True),
        streams=Streams(jobs=jobs, records=records, news=SqlNewsStore(database), workspace=workspace, clock=clock),
        tickets=Tickets(store=SqlTicketStore(database), jobs=jobs, clock=clock),
        admin=Admin(
            store=SqlControlStore(database),
            jobs=jobs,
            records=records,
            queue=queue,
            wake_up=orchestrator,
            clock=clock,
        ),
        containers=Containers(
            store=SqlContainerStore(database),
            jobs=jobs,
            workspace=workspace,
            wake_up=orchestrator,
            clock=clock,
        ),
        survey=Survey(store=SqlFigureStore(database), records=records, disk=disk, clock=clock),
    )
    relaxed = {"submit_rate": UNLIMITED, "request_rate": UNLIMITED, "submit_wait_seconds": 5.0}
    app = create_app(services, ApiOptions(**relaxed | options), measured=measured)
    return Installation(
        app=app,
        database=database,
        client=TestClient(app),
        services=services,
        jobs=jobs,
        records=records,
        datasets=datasets,
        registry=registry,
        files=files,
        workspace=workspace,
        artifacts=artifacts,
        thumbnails=thumbnails,
        orchestrator=orchestrator,
        upload_disk=upload_disk,
        clock=clock,
        tokens=tokens,
        models=store,
        downloads=downloads,
    )
