"""Registered models: each completed job's adapter is a version of a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query

from api.dependencies import CurrentIdentity, RegistryService, admit
from api.router import Router
from api.schemas.envelope import GUARDED, Listing, errors
from api.schemas.registry import ModelVersionOut, RegisteredModelOut, RenameBody

router = Router(prefix="/models/registered", tags=["models"], dependencies=[Depends(admit)], responses=GUARDED)

ModelName = Annotated[str, Path(description="As the listing tells it.", max_length=300)]
Page = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=200)]


@router.get("", summary="List the caller's registered models", responses=errors(400))
def list_registered_models(
    identity: CurrentIdentity, registry: RegistryService, page: Page = 1, page_size: PageSize = 50
) -> Listing[RegisteredModelOut]:
    """A job's name, else its trigger words, is the name that its adapter is registered under when it completes."""
    found = registry.models(identity, page=page, page_size=page_size)
    data = [RegisteredModelOut.from_domain(model) for model in found.models]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


@router.get("/{name}", summary="A registered model's versions", responses=errors(400, 404))
def list_model_versions(
    name: ModelName, identity: CurrentIdentity, registry: RegistryService
) -> Listing[ModelVersionOut]:
    """Newest first."""
    return Listing.whole([ModelVersionOut.from_domain(version) for version in registry.versions(identity, name)])


@router.patch("/{name}", summary="Rename a registered model", responses=errors(400, 404, 409))
def rename_model(
    name: ModelName, identity: CurrentIdentity, registry: RegistryService, body: RenameBody | None = None
) -> Listing[ModelVersionOut]:
    """With all its versions. What stands in the adapter files' metadata stays as it was."""
    renamed = registry.rename(identity, name, body.name if body else None)
    return Listing.whole([ModelVersionOut.from_domain(version) for version in renamed])


@router.delete("/{name}", summary="Delete a registered model", responses=errors(400, 404))
def delete_model(
    name: ModelName,
    identity: CurrentIdentity,
    registry: RegistryService,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only this one.")] = None,
) -> Listing[ModelVersionOut]:
    """The names only: the adapter files stay with their jobs until those are deleted."""
    deleted = registry.delete(identity, name, version=version)
    return Listing.whole([ModelVersionOut.from_domain(version) for version in deleted])
