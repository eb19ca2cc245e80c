"""What the API asks about jobs: those to come, those at work, and those to look back on."""

from __future__ import annotations

from orchestrator.adapters.sql import SqlAnalysisStore, SqlExperimentStore, SqlTrash
from orchestrator.bootstrap.adapters import Adapters
from orchestrator.ports.disk import Disk
from orchestrator.ports.preset_store import PresetStore
from orchestrator.services.analysis import Analysis
from orchestrator.services.drafts import Drafts
from orchestrator.services.estimates import Estimates
from orchestrator.services.experiments import Experiments
from orchestrator.services.jobs import Jobs
from orchestrator.services.models import Models
from orchestrator.services.plans import Plans
from orchestrator.services.queue import Queue
from orchestrator.settings import Settings
from orchestrator.values import tariff, undo_policy


def build_jobs(
    adapters: Adapters, settings: Settings, *, models: Models, presets: PresetStore, queue: Queue, disk: Disk
) -> Jobs:
    drafts = Drafts(
        datasets=adapters.datasets,
        models=models,
        presets=presets,
        experiments=SqlExperimentStore(adapters.database),
        queue=queue,
        clock=adapters.clock,
    )
    estimates = Estimates(jobs=adapters.jobs, records=adapters.records, clock=adapters.clock, tariff=tariff(settings))
    plans = Plans(jobs=adapters.jobs, records=adapters.records, queue=queue, estimates=estimates, disk=disk)
    return Jobs(
        jobs=adapters.jobs,
        trash=SqlTrash(adapters.database),
        undo=undo_policy(settings),
        records=adapters.records,
        versions=adapters.versions,
        models=models,
        drafts=drafts,
        plans=plans,
        estimates=estimates,
        clock=adapters.clock,
        wake_up=adapters.submissions,
        queue=queue,
    )


def build_analysis(adapters: Adapters, settings: Settings) -> Analysis:
    return Analysis(
        jobs=adapters.jobs,
        records=adapters.records,
        store=SqlAnalysisStore(adapters.database),
        clock=adapters.clock,
        tariff=tariff(settings),
    )


def build_experiments(adapters: Adapters, settings: Settings) -> Experiments:
    return Experiments(
        store=SqlExperimentStore(adapters.database),
        jobs=adapters.jobs,
        analysis=build_analysis(adapters, settings),
        clock=adapters.clock,
    )
