"""Base models to choose from."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.dependencies import ModelsService, count_request
from api.schemas.assets import ModelOut
from api.schemas.envelope import GUARDED, Listing

router = APIRouter(prefix="/catalog", tags=["models"], dependencies=[Depends(count_request)], responses=GUARDED)


@router.get("/models", summary="The catalogue of base models")
def list_models(models: ModelsService) -> Listing[ModelOut]:
    return Listing.whole([ModelOut.from_domain(view) for view in models.catalogue()])
