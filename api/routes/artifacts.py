"""Files that training made: adapters and checkpoints as assets, samples to look at, downloads."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import FileResponse, Response

from api.dependencies import (
    ArtifactId,
    ArtifactsService,
    CurrentIdentity,
    DatasetsService,
    JobId,
    RecordsService,
    admit,
)
from api.schemas.artifacts import SampleOut, TrainedAsset, UsageOut
from api.schemas.assets import DatasetOut
from api.schemas.envelope import GUARDED, Listing, Single, errors
from orchestrator.domain.artifact import Artifact

router = APIRouter(tags=["records"], dependencies=[Depends(admit)], responses=GUARDED)

Page = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=200)]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="With the file's ETag: 304 instead of the bytes.")
]
# Whatever is in a file that a container wrote, no browser runs it.
_INERT = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
# The bytes of an artifact never change.
_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The caller has these bytes already."}}


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
        **errors(404),
        **_NOT_MODIFIED,
        200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}, "description": "To be shown inline."},
    },
)
def show_sample(
    artifact_id: ArtifactId, identity: CurrentIdentity, artifacts: ArtifactsService, if_none_match: IfNoneMatch = None
) -> Response:
    picture = artifacts.picture(identity, artifact_id)
    headers = {**_INERT, **_KEPT, "ETag": _etag(picture.artifact)}
    if _is_known(picture.artifact, if_none_match):
        return Response(status_code=304, headers=headers)
    return FileResponse(picture.path, media_type=picture.media_type, headers=headers)


@router.get("/artifacts/{artifact_id}/usage", summary="How to use an adapter", responses=errors(400, 404))
def get_usage(artifact_id: ArtifactId, identity: CurrentIdentity, artifacts: ArtifactsService) -> Single[UsageOut]:
    """In ComfyUI, and with diffusers."""
    return Single(data=UsageOut.from_domain(artifacts.usage(identity, artifact_id)))


@router.get(
    "/artifacts/{artifact_id}/download",
    summary="Download a file",
    response_class=FileResponse,
    responses={
        **errors(404),
        **_NOT_MODIFIED,
        200: {"content": {"application/octet-stream": {}}, "description": "The bytes; the ETag is their sha256."},
        206: {"content": {"application/octet-stream": {}}, "description": "The asked `Range` of the bytes."},
        416: {"description": "The file has no such `Range`."},
    },
)
def download_artifact(
    artifact_id: ArtifactId, identity: CurrentIdentity, records: RecordsService, if_none_match: IfNoneMatch = None
) -> Response:
    """As an attachment under its own name. A broken download goes on with `Range` and `If-Range`."""
    file = records.artifact_file(identity, artifact_id)
    headers = {**_INERT, "ETag": _etag(file.artifact)}
    if _is_known(file.artifact, if_none_match):
        return Response(status_code=304, headers=headers)
    return FileResponse(file.path, media_type="application/octet-stream", filename=file.artifact.name, headers=headers)


def _etag(artifact: Artifact) -> str:
    return f'"{artifact.sha256}"'


def _is_known(artifact: Artifact, if_none_match: str | None) -> bool:
    """By RFC 9110, 13.1.2: a list of tags, weak ones counting as strong, or any."""
    tags = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    return "*" in tags or _etag(artifact) in tags
