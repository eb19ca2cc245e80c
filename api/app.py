"""The HTTP half put together. Nothing happens at import."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from prometheus_client.registry import Collector
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from api.body_limit import BodyLimit
from api.document import tidy_document
from api.errors import ErrorBoundary, add_error_handlers
from api.fan_out import FanOut
from api.head_requests import HeadRequests
from api.metrics import Metrics
from api.options import ApiOptions
from api.rate_limit import RateLimits
from api.request_context import REQUEST_ID_HEADER, RequestContext
from api.routes import (
    admin,
    analysis,
    artifact_files,
    artifacts,
    datasets,
    experiments,
    identity,
    lineage,
    models,
    presets,
    promotion,
    records,
    registry,
    service,
    streams,
    train,
    training,
    webhooks,
)
from api.streaming import OpenStreams
from api.submission import SUBMIT_THREADS
from api.upload import UPLOAD_THREADS
from api.web import PageHeaders, web_routes
from orchestrator.services import Services
from orchestrator.stop_flag import StopFlag

_DESCRIPTION = """Trains LoRA adapters, each job in its own hardened container.

Upload a dataset, submit a job, watch it, download the adapter. Every error has one shape (`ErrorBody`), and validation
names everything that is wrong at once. The same paths also stand under `/api/v1`."""

_TAGS = [
    {"name": "jobs", "description": "Submit, watch and cancel training jobs."},
    {"name": "records", "description": "What a job left behind: history, metrics, log, files."},
    {"name": "streams", "description": "Being told as it happens, by server-sent events."},
    {"name": "analysis", "description": "Jobs looked back on: curves, comparisons, counts."},
    {"name": "experiments", "description": "Jobs that belong together, side by side."},
    {"name": "datasets", "description": "Pictures with captions."},
    {"name": "models", "description": "Base models to start from."},
    {"name": "diagnostic", "description": "Does this machine train at all?"},
    {"name": "webhooks", "description": "Being told of jobs instead of asking."},
    {"name": "admin", "description": "For administrators."},
    {"name": "identity", "description": "Signing in."},
    {"name": "service", "description": "Probes."},
]

_READABLE_BY_BROWSERS = [
    REQUEST_ID_HEADER,
    "Content-Disposition",
    "ETag",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
]
_SENT_BY_BROWSERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Prefer",
    "Range",
    REQUEST_ID_HEADER,
]


_ROUTERS = (
    training.router,
    records.router,
    streams.router,
    artifacts.router,
    artifact_files.router,
    lineage.router,
    analysis.router,
    experiments.router,
    presets.router,
    datasets.router,
    models.router,
    train.router,
    webhooks.router,
    registry.router,
    promotion.router,
    admin.router,
    identity.router,
    service.router,
)


def create_app(services: Services, options: ApiOptions, *, measured: tuple[Collector, ...] = ()) -> FastAPI:
    """`measured` is shown among the metrics: what an orchestrator in this process measures."""
    metrics = Metrics(services.survey, others=measured)
    app = routed_app(options.version, middleware=_middleware(options, metrics))
    app.state.services = services
    app.state.options = options
    app.state.metrics = metrics
    app.state.rate_limits = RateLimits(options)
    app.state.submit_threads = CapacityLimiter(SUBMIT_THREADS)
    app.state.upload_threads = CapacityLimiter(UPLOAD_THREADS)
    app.state.stopping = StopFlag()  # set by the server when it is told to stop; waiting answers then end
    app.state.fan_out = FanOut(services.streams, app.state.stopping)
    app.state.open_streams = OpenStreams(options.max_streams_per_user)
    add_error_handlers(app)
    if options.web_directory is not None:
        app.include_router(web_routes(options.web_directory), include_in_schema=False)
    return app


def routed_app(version: str, *, middleware: Sequence[Middleware] = ()) -> FastAPI:
    """The routes and their document, with nothing behind them."""
    app = FastAPIOffline(  # the pages of /docs and /redoc come from here: nobody's browser is sent elsewhere
        title="Lorry",
        version=version,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        generate_unique_id_function=_operation_id,
        middleware=middleware,
    )
    # Each by itself: a router of routers is gone through anew for every request.
    for router in _ROUTERS:
        app.include_router(router, prefix="/api")
    for router in _ROUTERS:
        app.include_router(router, prefix="/api/v1", include_in_schema=False)
    app.include_router(service.metrics_router, include_in_schema=False)  # where scrapers look by themselves
    tidy_document(app)
    return app


def _middleware(options: ApiOptions, metrics: Metrics) -> list[Middleware]:
    """Outermost first."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=options.cors_origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=_SENT_BY_BROWSERS,
        expose_headers=_READABLE_BY_BROWSERS,
        max_age=600,
    )
    return [
        Middleware(RequestContext, count=metrics.count_request),
        cors,
        Middleware(PageHeaders, identity_url=options.supabase_url),
        Middleware(ErrorBoundary),
        Middleware(BodyLimit, max_bytes=options.max_body_bytes),
        Middleware(HeadRequests),
    ]


def _operation_id(route: APIRoute) -> str:
    return route.name
