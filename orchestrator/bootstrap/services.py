"""What the API asks."""

from __future__ import annotations

from orchestrator.adapters.filesystem.disk import FilesystemDisk
from orchestrator.adapters.filesystem.presets import FilesystemPresetStore
from orchestrator.adapters.sql import (
    SqlArtifactTicketStore,
    SqlAuditLog,
    SqlFigureStore,
    SqlModelRegistry,
    SqlNewsStore,
    SqlTicketStore,
)
from orchestrator.bootstrap.adapters import Adapters
from orchestrator.bootstrap.administration import build_admin, build_containers, build_webhooks
from orchestrator.bootstrap.jobs import build_analysis, build_experiments, build_jobs
from orchestrator.bootstrap.models import build_models, model_holds
from orchestrator.bootstrap.storage import artifact_copies, dataset_copies
from orchestrator.ports.disk import Disk
from orchestrator.services import Services
from orchestrator.services.artifact_tickets import ArtifactTickets
from orchestrator.services.artifacts import Artifacts
from orchestrator.services.audit import Audit
from orchestrator.services.datasets import Datasets
from orchestrator.services.identity import EitherToken, LorryTokens
from orchestrator.services.models import Models
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
from orchestrator.settings import Settings
from orchestrator.values import scheduling_policy


def build_services(adapters: Adapters, settings: Settings) -> Services:
    figures = SqlFigureStore(adapters.database)
    # Where uploads go: in a container, the API sees only parts of the data folder, each mounted for itself.
    disk = FilesystemDisk(settings.data_dir / "datasets", settings.data_dir)
    own_tokens = LorryTokens(store=adapters.tokens, clock=adapters.clock)
    models = build_models(adapters, settings)
    queue = Queue(
        jobs=adapters.jobs,
        records=adapters.records,
        clock=adapters.clock,
        policy=scheduling_policy(settings),
        model_holds=model_holds(adapters),
    )
    presets = FilesystemPresetStore(settings.presets)
    jobs = build_jobs(adapters, settings, models=models, presets=presets, queue=queue, disk=disk)
    artifact_tickets = ArtifactTickets(store=SqlArtifactTicketStore(adapters.database), clock=adapters.clock)
    return Services(
        jobs=jobs,
        train=Train(store=adapters.jobs, jobs=jobs, wake_up=adapters.submissions, clock=adapters.clock),
        queue=queue,
        presets=Presets(store=presets),
        analysis=build_analysis(adapters, settings),
        experiments=build_experiments(adapters, settings),
        records=_records(adapters, artifact_tickets),
        datasets=_datasets(adapters, disk, settings),
        models=models,
        tokens=EitherToken(own=own_tokens, other=adapters.supabase.tokens) if adapters.supabase else own_tokens,
        sign_in=own_tokens,
        artifacts=_artifacts(adapters),
        artifact_tickets=artifact_tickets,
        registry=Registry(registry=SqlModelRegistry(adapters.database), clock=adapters.clock),
        promotion=_promotion(adapters),
        reproduction=_reproduction(adapters, models),
        audit=Audit(log=SqlAuditLog(adapters.database)),
        readiness=Readiness(
            store=figures,
            records=adapters.records,
            disk=disk,
            clock=adapters.clock,
            identity=adapters.supabase.tokens if adapters.supabase else None,
            min_free_bytes=settings.min_free_bytes,
        ),
        webhooks=build_webhooks(adapters, settings),
        streams=_streams(adapters),
        tickets=Tickets(store=SqlTicketStore(adapters.database), jobs=adapters.jobs, clock=adapters.clock),
        admin=build_admin(adapters, queue),
        containers=build_containers(adapters),
        survey=Survey(store=figures, records=adapters.records, disk=disk, clock=adapters.clock),
    )


def _streams(adapters: Adapters) -> Streams:
    return Streams(
        jobs=adapters.jobs,
        records=adapters.records,
        news=SqlNewsStore(adapters.database),
        workspace=adapters.workspace,
        clock=adapters.clock,
    )


def _records(adapters: Adapters, tickets: ArtifactTickets) -> Records:
    return Records(
        jobs=adapters.jobs,
        records=adapters.records,
        artifacts=adapters.artifacts,
        workspace=adapters.workspace,
        tickets=tickets,
        copies=artifact_copies(adapters),
    )


def _datasets(adapters: Adapters, disk: Disk, settings: Settings) -> Datasets:
    return Datasets(
        store=adapters.datasets,
        versions=adapters.versions,
        files=adapters.dataset_files,
        jobs=adapters.jobs,
        clock=adapters.clock,
        disk=disk,
        min_free_bytes=settings.min_free_bytes,
        copies=dataset_copies(adapters),
    )


def _artifacts(adapters: Adapters) -> Artifacts:
    return Artifacts(
        jobs=adapters.jobs,
        records=adapters.records,
        artifacts=adapters.artifacts,
        thumbnails=adapters.thumbnails,
        models=adapters.models,
    )


def _promotion(adapters: Adapters) -> Promotion:
    return Promotion(
        jobs=adapters.jobs,
        records=adapters.records,
        artifacts=adapters.artifacts,
        registry=SqlModelRegistry(adapters.database),
        clock=adapters.clock,
    )


def _reproduction(adapters: Adapters, models: Models) -> Reproduction:
    return Reproduction(
        jobs=adapters.jobs,
        records=adapters.records,
        versions=adapters.versions,
        models=models,
        model_store=adapters.models,
        registry=SqlModelRegistry(adapters.database),
        clock=adapters.clock,
        wake_up=adapters.submissions,
    )
