"""Is it alive, and can it work. For probes: no token, no limit."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.dependencies import AppMetrics, Options, ReadinessService
from api.errors import RETRY_AFTER_SECONDS, NotReady
from api.router import Router
from api.schemas.envelope import errors
from api.schemas.service import CheckOut, Health, Ready
from orchestrator.domain.errors import Violation

router = Router(tags=["service"])
metrics_router = Router(tags=["service"])


@router.get("/health", summary="Is the process alive")
async def health(options: Options) -> Health:
    return Health(timestamp=datetime.now(UTC), version=options.version)


@router.get("/ready", summary="Can jobs be taken and run", responses=errors(503))
def ready(readiness: ReadinessService) -> Ready:
    """503 with the failing checks in `details` otherwise."""
    checks = readiness.checks()
    failing = [Violation(check.name, check.message) for check in checks if not check.is_ok]
    if failing:
        message = " ".join(violation.message for violation in failing)
        raise NotReady(message, details=failing, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return Ready(checks=[CheckOut.from_domain(check) for check in checks])


@metrics_router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "docs/operations.md lists them."}},
)
def show_metrics(metrics: AppMetrics) -> Response:
    """No ids and no names in it; a proxy to the internet should keep it to itself all the same."""
    return Response(metrics.render(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


router.include_router(metrics_router)
