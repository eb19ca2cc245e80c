"""Use cases. One public method is one verb; routes and the command line call nothing deeper."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.ports.token_verifier import TokenVerifier
from orchestrator.services.admin import Admin
from orchestrator.services.analysis import Analysis
from orchestrator.services.artifact_tickets import ArtifactTickets
from orchestrator.services.artifacts import Artifacts
from orchestrator.services.audit import Audit
from orchestrator.services.containers import Containers
from orchestrator.services.datasets import Datasets
from orchestrator.services.experiments import Experiments
from orchestrator.services.identity import LorryTokens
from orchestrator.services.jobs import Jobs
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
from orchestrator.services.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the HTTP half is given; bootstrap builds it."""

    jobs: Jobs
    train: Train
    queue: Queue
    analysis: Analysis
    experiments: Experiments
    presets: Presets
    records: Records
    datasets: Datasets
    models: Models
    tokens: TokenVerifier
    sign_in: LorryTokens
    audit: Audit
    artifacts: Artifacts
    artifact_tickets: ArtifactTickets
    registry: Registry
    promotion: Promotion
    reproduction: Reproduction
    readiness: Readiness
    survey: Survey
    streams: Streams
    tickets: Tickets
    webhooks: Webhooks
    admin: Admin
    containers: Containers
