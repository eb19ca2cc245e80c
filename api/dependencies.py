"""What routes ask for by type: who is calling, and one name for each service."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator
from starlette.datastructures import State

from api.metrics import Metrics
from api.options import ApiOptions
from api.rate_limit import RateLimits
from api.router import call_at_once
from orchestrator.domain.errors import NotFound, Unauthenticated
from orchestrator.domain.identity import Identity
from orchestrator.services import Services
from orchestrator.services.admin import Admin
from orchestrator.services.analysis import Analysis
from orchestrator.services.artifact_tickets import ArtifactTickets
from orchestrator.services.artifacts import Artifacts
from orchestrator.services.audit import Audit
from orchestrator.services.containers import Containers
from orchestrator.services.datasets import Datasets
from orchestrator.services.experiments import Experiments
from orchestrator.services.identity import LorryTokens, is_own_token
from orchestrator.services.jobs import Jobs
from orchestrator.services.models import Models
from orchestrator.services.ownership import require_admin
from orchestrator.services.presets import Presets
from orchestrator.services.promotion import Promotion
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


def of_app(pick: Callable[[State], object]) -> Callable[[Request], Awaitable[object]]:
    """Asks for nothing but the request: FastAPI solves what a dependency asks for anew wherever it is named, and calls
    none but `async` ones without a thread."""

    async def picked(request: Request) -> object:
        return pick(request.app.state)

    return picked


def _service(pick: Callable[[Services], object]) -> Callable[[Request], Awaitable[object]]:
    return of_app(lambda state: pick(state.services))


AllServices = Annotated[Services, Depends(_service(lambda services: services))]
JobsService = Annotated[Jobs, Depends(_service(lambda services: services.jobs))]
AnalysisService = Annotated[Analysis, Depends(_service(lambda services: services.analysis))]
PresetsService = Annotated[Presets, Depends(_service(lambda services: services.presets))]
ExperimentsService = Annotated[Experiments, Depends(_service(lambda services: services.experiments))]
QueueService = Annotated[Queue, Depends(_service(lambda services: services.queue))]
RecordsService = Annotated[Records, Depends(_service(lambda services: services.records))]
DatasetsService = Annotated[Datasets, Depends(_service(lambda services: services.datasets))]
ModelsService = Annotated[Models, Depends(_service(lambda services: services.models))]
SignInService = Annotated[LorryTokens, Depends(_service(lambda services: services.sign_in))]
AuditService = Annotated[Audit, Depends(_service(lambda services: services.audit))]
AdminService = Annotated[Admin, Depends(_service(lambda services: services.admin))]
ContainersService = Annotated[Containers, Depends(_service(lambda services: services.containers))]
TrainService = Annotated[Train, Depends(_service(lambda services: services.train))]
WebhooksService = Annotated[Webhooks, Depends(_service(lambda services: services.webhooks))]
ArtifactsService = Annotated[Artifacts, Depends(_service(lambda services: services.artifacts))]
ArtifactTicketsService = Annotated[ArtifactTickets, Depends(_service(lambda services: services.artifact_tickets))]
PromotionService = Annotated[Promotion, Depends(_service(lambda services: services.promotion))]
RegistryService = Annotated[Registry, Depends(_service(lambda services: services.registry))]
ReproductionService = Annotated[Reproduction, Depends(_service(lambda services: services.reproduction))]
ReadinessService = Annotated[Readiness, Depends(_service(lambda services: services.readiness))]
StreamsService = Annotated[Streams, Depends(_service(lambda services: services.streams))]
TicketsService = Annotated[Tickets, Depends(_service(lambda services: services.tickets))]

Options = Annotated[ApiOptions, Depends(of_app(lambda state: state.options))]
Limits = Annotated[RateLimits, Depends(of_app(lambda state: state.rate_limits))]
AppMetrics = Annotated[Metrics, Depends(of_app(lambda state: state.metrics))]
Stopping = Annotated[StopFlag, Depends(of_app(lambda state: state.stopping))]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def identify(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Identity:
    """The caller. Raises Unauthenticated, and RateLimited for an address with too many refused tokens."""
    if credentials is None:
        raise Unauthenticated("Send a token: `Authorization: Bearer <token>`.")
    services = cast(Services, request.app.state.services)
    token = credentials.credentials
    # Another system may be asked about its tokens, across a network.
    verify = call_at_once if is_own_token(token) else run_in_threadpool
    return await identified(verify(services.tokens.verify, token), request)


async def identified(verifying: Awaitable[Identity], request: Request) -> Identity:
    """Whose secret, a token or ticket, it was found to be; one that is refused counts against the caller's address."""
    try:
        identity = await verifying
    except Unauthenticated:
        _limits(request).count_failed_authentication(request.client.host if request.client else "")
        raise
    request.state.identity = identity
    return identity


async def admit(request: Request, response: Response, credentials: Credentials) -> None:
    """Guard of every router behind a token: who calls is known, and does not call too often. It guards nearly every
    request, so it takes what it needs from the app itself: each dependency of a dependency is solved anew."""
    await identify(request, credentials)
    response.headers.update(_limits(request).count_request(request))


def _limits(request: Request) -> RateLimits:
    return cast(RateLimits, request.app.state.rate_limits)


async def _admitted(request: Request) -> Identity:
    return cast(Identity, request.state.identity)


CurrentIdentity = Annotated[Identity, Depends(_admitted)]


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
