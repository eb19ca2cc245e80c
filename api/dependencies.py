"""What routes ask for by type: who is calling, and one name for each service."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator

from api.metrics import Metrics
from api.options import ApiOptions
from api.rate_limit import RateLimits
from orchestrator.domain.errors import NotFound, Unauthenticated
from orchestrator.domain.identity import Identity
from orchestrator.services import Services
from orchestrator.services.admin import Admin
from orchestrator.services.analysis import Analysis
from orchestrator.services.artifacts import Artifacts
from orchestrator.services.audit import Audit
from orchestrator.services.containers import Containers
from orchestrator.services.datasets import Datasets
from orchestrator.services.experiments import Experiments
from orchestrator.services.identity import LorryTokens
from orchestrator.services.jobs import Jobs
from orchestrator.services.models import Models
from orchestrator.services.ownership import require_admin
from orchestrator.services.presets import Presets
from orchestrator.services.queue import Queue
from orchestrator.services.readiness import Readiness
from orchestrator.services.records import Records
from orchestrator.services.registry import Registry
from orchestrator.services.reproduction import Reproduction
from orchestrator.services.streams import Streams
from orchestrator.services.tickets import Tickets
from orchestrator.services.train import Train
from orchestrator.services.webhooks import Webhooks
from orchestrator.stop_flag import StopFlag

bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="A token of `lorry token create`, sent as `Bearer <token>`."
)


# These are `async` only so that FastAPI calls them directly instead of through its thread pool.
async def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


async def _options(request: Request) -> ApiOptions:
    return cast(ApiOptions, request.app.state.options)


async def _rate_limits(request: Request) -> RateLimits:
    return cast(RateLimits, request.app.state.rate_limits)


async def _metrics(request: Request) -> Metrics:
    return cast(Metrics, request.app.state.metrics)


async def _stopping(request: Request) -> StopFlag:
    return cast(StopFlag, request.app.state.stopping)


AllServices = Annotated[Services, Depends(_services)]
Options = Annotated[ApiOptions, Depends(_options)]
Limits = Annotated[RateLimits, Depends(_rate_limits)]
AppMetrics = Annotated[Metrics, Depends(_metrics)]
Stopping = Annotated[StopFlag, Depends(_stopping)]


async def _jobs(services: AllServices) -> Jobs:
    return services.jobs


async def _analysis(services: AllServices) -> Analysis:
    return services.analysis


async def _presets(services: AllServices) -> Presets:
    return services.presets


async def _experiments(services: AllServices) -> Experiments:
    return services.experiments


async def _queue(services: AllServices) -> Queue:
    return services.queue


async def _records(services: AllServices) -> Records:
    return services.records


async def _datasets(services: AllServices) -> Datasets:
    return services.datasets


async def _models(services: AllServices) -> Models:
    return services.models


async def _sign_in(services: AllServices) -> LorryTokens:
    return services.sign_in


async def _audit(services: AllServices) -> Audit:
    return services.audit


async def _admin(services: AllServices) -> Admin:
    return services.admin


async def _containers(services: AllServices) -> Containers:
    return services.containers


async def _train(services: AllServices) -> Train:
    return services.train


async def _webhooks(services: AllServices) -> Webhooks:
    return services.webhooks


async def _artifacts(services: AllServices) -> Artifacts:
    return services.artifacts


async def _registry(services: AllServices) -> Registry:
    return services.registry


async def _reproduction(services: AllServices) -> Reproduction:
    return services.reproduction


async def _readiness(services: AllServices) -> Readiness:
    return services.readiness


async def _streams(services: AllServices) -> Streams:
    return services.streams


async def _tickets(services: AllServices) -> Tickets:
    return services.tickets


JobsService = Annotated[Jobs, Depends(_jobs)]
AnalysisService = Annotated[Analysis, Depends(_analysis)]
PresetsService = Annotated[Presets, Depends(_presets)]
ExperimentsService = Annotated[Experiments, Depends(_experiments)]
QueueService = Annotated[Queue, Depends(_queue)]
RecordsService = Annotated[Records, Depends(_records)]
DatasetsService = Annotated[Datasets, Depends(_datasets)]
ModelsService = Annotated[Models, Depends(_models)]
SignInService = Annotated[LorryTokens, Depends(_sign_in)]
AuditService = Annotated[Audit, Depends(_audit)]
AdminService = Annotated[Admin, Depends(_admin)]
ContainersService = Annotated[Containers, Depends(_containers)]
TrainService = Annotated[Train, Depends(_train)]
WebhooksService = Annotated[Webhooks, Depends(_webhooks)]
ArtifactsService = Annotated[Artifacts, Depends(_artifacts)]
RegistryService = Annotated[Registry, Depends(_registry)]
ReproductionService = Annotated[Reproduction, Depends(_reproduction)]
ReadinessService = Annotated[Readiness, Depends(_readiness)]
StreamsService = Annotated[Streams, Depends(_streams)]
TicketsService = Annotated[Tickets, Depends(_tickets)]


async def identify(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    services: AllServices,
    limits: Limits,
) -> Identity:
    """The caller. Raises Unauthenticated, and RateLimited for an address with too many refused tokens."""
    if credentials is None:
        raise Unauthenticated("Send a token: `Authorization: Bearer <token>`.")
    try:
        identity = await run_in_threadpool(services.tokens.verify, credentials.credentials)
    except Unauthenticated:
        limits.count_failed_authentication(request.client.host if request.client else "")
        raise
    request.state.user_id = identity.user_id
    return identity


CurrentIdentity = Annotated[Identity, Depends(identify)]


async def count_request(request: Request, response: Response, _: CurrentIdentity, limits: Limits) -> None:
    """Guard of every router behind a token."""
    response.headers.update(await limits.count_request(request))


async def admins_only(identity: CurrentIdentity) -> None:
    """Guard of a router, so that nobody else learns from a refused body what it would take."""
    require_admin(identity)


def _known(noun: str) -> Callable[[str], str]:
    def canonical(value: str) -> str:
        """An id that is no UUID names nothing, so it is answered like any other unknown one."""
        try:
            return str(uuid.UUID(value))
        except ValueError:
            raise NotFound(f"There is no {noun} with this id.", code=f"{noun.upper()}_NOT_FOUND") from None

    return canonical


JobId = Annotated[str, Path(description="The job's id, a UUID."), AfterValidator(_known("job"))]
OtherJobId = Annotated[
    str,
    Query(alias="with", description="The id of the job to compare with.", max_length=200),
    AfterValidator(_known("job")),
]
ExperimentId = Annotated[str, Path(description="The experiment's id, a UUID."), AfterValidator(_known("experiment"))]
DatasetId = Annotated[str, Path(description="The dataset's id, a UUID."), AfterValidator(_known("dataset"))]
ItemId = Annotated[str, Path(description="The item's id, a UUID."), AfterValidator(_known("item"))]
WebhookId = Annotated[str, Path(description="The webhook's id, a UUID."), AfterValidator(_known("webhook"))]
ArtifactId = Annotated[str, Path(description="The artifact's id, a UUID."), AfterValidator(_known("artifact"))]
