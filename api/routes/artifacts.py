"""Files that training made: adapters and checkpoints as assets, samples to look at, how an adapter is used."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import FileResponse, Response

from api.artifact_headers import INERT, NOT_MODIFIED, IfNoneMatch, etag, is_known
from api.dependencies import ArtifactId, ArtifactsService, CurrentIdentity, DatasetsService, JobId, admit
from api.router import Router
from api.schemas.artifacts import SampleOut, TrainedAsset, UsageOut
from api.schemas.assets import DatasetOut
from api.schemas.envelope import GUARDED, Listing, Single, errors
from orchestrator.domain.artifact import THUMBNAIL_SIDE

router = Router(tags=["records"], dependencies=[Depends(admit)], responses=GUARDED)

PictureSize = Literal["small", "full"]
Page = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=200)]
# The bytes of an artifact never change.
_NOT_KEPT = {"Cache-Control": "private, no-cache"}
_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}


@router.get("/training/assets", summary="List what training made", responses=errors(400))
def list_trained_assets(
    identity: CurrentIdentity, artifacts: ArtifactsService, page: Page = 1, page_size: PageSize = 50
) -> Listing[TrainedAsset]:
    """The caller's adapters and checkpoints, newest first. `retry` takes a checkpoint's id as `from_checkpoint`."""
    found = artifacts.assets(identity, page=page, page_size=page_size)
    data = [TrainedAsset.from_domain(artifact) for artifact in found.artifacts]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


@router.get("/catalog/datasets", summary="The caller's datasets, as assets", responses=errors(400))
def list_dataset_assets(
    identity: CurrentIdentity, datasets: DatasetsService, page: Page = 1, page_size: PageSize = 50
) -> Listing[DatasetOut]:
    """The same as `GET /datasets`, beside `GET /catalog/models`."""
    found = datasets.list(identity, page=page, page_size=page_size)
    data = [DatasetOut.from_domain(dataset) for dataset in found.datasets]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


@router.get("/training/jobs/{job_id}/samples", summary="A job's sample pictures", responses=errors(404))
def list_samples(job_id: JobId, identity: CurrentIdentity, artifacts: ArtifactsService) -> Listing[SampleOut]:
    """By attempt and step, each with its prompt; of a running job those that it drew so far."""
    return Listing.whole([SampleOut.from_domain(sample) for sample in artifacts.samples(identity, job_id)])


@router.get(
    "/artifacts/{artifact_id}/image",
    summary="Look at a sample picture",
    response_class=FileResponse,
    responses={
        **errors(400, 404),
        **NOT_MODIFIED,
        200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}, "description": "To be shown inline."},
    },
)
def show_sample(
    artifact_id: ArtifactId,
    identity: CurrentIdentity,
    artifacts: ArtifactsService,
    size: Annotated[PictureSize, Query(description=f"`small`: {THUMBNAIL_SIDE} pixels a side at most.")] = "full",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A small copy is made a moment after the sample was drawn; until then the sample itself is the answer, which is
    then not to be kept. What cannot be decoded, or has more than 40 million pixels, is downloaded and not shown."""
    picture = artifacts.picture(identity, artifact_id, is_small=size == "small")
    is_final = picture.is_small == (size == "small")
    headers = {**INERT, **(_KEPT if is_final else _NOT_KEPT), "ETag": etag(picture.artifact, is_small=picture.is_small)}
    if is_known(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    return FileResponse(picture.path, media_type=picture.media_type, headers=headers)


@router.get("/artifacts/{artifact_id}/usage", summary="How to use an adapter", responses=errors(400, 404))
def get_usage(artifact_id: ArtifactId, identity: CurrentIdentity, artifacts: ArtifactsService) -> Single[UsageOut]:
    """In ComfyUI, and with diffusers."""
    return Single(data=UsageOut.from_domain(artifacts.usage(identity, artifact_id)))
