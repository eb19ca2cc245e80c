"""Uploading datasets and looking at them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from api.dependencies import CurrentIdentity, DatasetId, DatasetsService, Options, count_request
from api.schemas.assets import DatasetItemOut, DatasetOut
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.upload import UPLOAD_BODY, read_upload

router = APIRouter(prefix="/datasets", tags=["datasets"], dependencies=[Depends(count_request)], responses=GUARDED)


@router.post(
    "/upload",
    status_code=201,
    summary="Upload a dataset",
    responses=errors(400, 413),
    openapi_extra={"requestBody": UPLOAD_BODY},
)
async def upload_dataset(
    request: Request, identity: CurrentIdentity, datasets: DatasetsService, options: Options
) -> Single[DatasetOut]:
    """Pictures with captions of the same name (`cat.png`, `cat.txt`), or one zip of them. All or nothing."""
    async with read_upload(request, max_bytes=options.max_upload_bytes) as upload:
        dataset = await run_in_threadpool(datasets.upload, identity, upload.name, upload.files)
    return Single(data=DatasetOut.from_domain(dataset))


@router.get("", summary="List the caller's datasets", responses=errors(400))
def list_datasets(
    identity: CurrentIdentity,
    datasets: DatasetsService,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[DatasetOut]:
    found = datasets.list(identity, page=page, page_size=page_size)
    data = [DatasetOut.from_domain(dataset) for dataset in found.datasets]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


@router.get("/{dataset_id}", summary="Look at a dataset", responses=errors(403, 404))
def get_dataset(dataset_id: DatasetId, identity: CurrentIdentity, datasets: DatasetsService) -> Single[DatasetOut]:
    return Single(data=DatasetOut.from_domain(datasets.get(identity, dataset_id)))


@router.get("/{dataset_id}/items", summary="A dataset's pictures", responses=errors(403, 404))
def list_items(dataset_id: DatasetId, identity: CurrentIdentity, datasets: DatasetsService) -> Listing[DatasetItemOut]:
    return Listing.whole([DatasetItemOut.from_domain(item) for item in datasets.items(identity, dataset_id)])
