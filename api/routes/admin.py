"""What only administrators may see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.dependencies import AuditService, CurrentIdentity, count_request
from api.schemas.admin import AuditEntryOut
from api.schemas.envelope import GUARDED, Listing, errors

router = APIRouter(
    prefix="/admin", tags=["admin"], dependencies=[Depends(count_request)], responses={**GUARDED, **errors(403)}
)


@router.get("/audit", summary="What administrators and operators did", responses=errors(400))
def list_audit_entries(
    identity: CurrentIdentity,
    audit: AuditService,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[AuditEntryOut]:
    """Newest first."""
    found = audit.list(identity, page=page, page_size=page_size)
    data = [AuditEntryOut.from_domain(entry) for entry in found.entries]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)
