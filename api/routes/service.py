"""Is it alive, and can it work. For probes: no token, no limit."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter

from api.dependencies import Options, ReadinessService
from api.errors import RETRY_AFTER_SECONDS, NotReady
from api.schemas.envelope import errors
from api.schemas.service import CheckOut, Health, Ready
from orchestrator.domain.errors import Violation

router = APIRouter(tags=["service"])


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
