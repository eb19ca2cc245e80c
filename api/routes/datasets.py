"""Uploading datasets, looking at them, curating and deleting them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends, Header, Query, Response
from fastapi.concurrency import run_in_threadpool

from api.dependencies import CurrentIdentity, DatasetId, DatasetsService, ItemId, admit
from api.router import Router
from api.schemas.assets import DatasetOut
from api.schemas.datasets import AdditionOut, DatasetItemOut, ItemBody, ItemQuery, ReportOut
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.presets import RecommendationOut
from api.upload import ADDITION_BODY, UPLOAD_BODY, UploadSteps
from orchestrator.domain.training import TrainingType

Page = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=200)]

UploadKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="What is sent again under the same key is answered with the dataset that it made.",
    ),
]

# A picture of an item never changes.
_PICTURE_HEADERS = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}

router = Router(prefix="/datasets", tags=["datasets"], dependencies=[Depends(admit)], responses=GUARDED)


@router.post(
    "/upload",
    status_code=201,
    summary="Upload a dataset",
    responses=errors(400, 413, 507),
    openapi_extra={"requestBody": UPLOAD_BODY},
)
async def upload_dataset(
    uploading: UploadSteps, identity: CurrentIdentity, datasets: DatasetsService, idempotency_key: UploadKey = None
) -> Single[DatasetOut]:
    """Pictures with captions of the same name (`cat.png`, `cat.txt`), or one zip of them. All or nothing."""
    await run_in_threadpool(datasets.require_room, uploading.announced_bytes)
    async with uploading.read() as upload:
        keep = partial(datasets.upload, identity, upload.name, upload.files, strip_exif=upload.strip_exif)
        dataset = await uploading.keep(partial(keep, key=idempotency_key))
    return Single(data=DatasetOut.from_domain(dataset))


@router.post(
    "/{dataset_id}/items",
    summary="Add pictures to a dataset",
    responses=errors(400, 403, 404, 409, 413, 507),
    openapi_extra={"requestBody": ADDITION_BODY},
)
async def add_items(
    uploading: UploadSteps, dataset_id: DatasetId, identity: CurrentIdentity, datasets: DatasetsService
) -> Single[AdditionOut]:
    """Under the same limits as an upload, which hold for the dataset as a whole. All or nothing, and safe to repeat: a
    picture that the dataset holds already is not kept again. Jobs submitted before train on what there was then."""
    await run_in_threadpool(datasets.require_owner, identity, dataset_id)
    await run_in_threadpool(datasets.require_room, uploading.announced_bytes)
    async with uploading.read(is_addition=True) as upload:
        keep = partial(datasets.add_items, identity, dataset_id, upload.files, strip_exif=upload.strip_exif)
        dataset, sent = await uploading.keep(keep)
    return Single(data=AdditionOut.from_domain(dataset, sent))


@router.get("", summary="List the caller's datasets", responses=errors(400))
def list_datasets(
    identity: CurrentIdentity, datasets: DatasetsService, page: Page = 1, page_size: PageSize = 50
) -> Listing[DatasetOut]:
    found = datasets.list(identity, page=page, page_size=page_size)
    data = [DatasetOut.from_domain(dataset) for dataset in found.datasets]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


@router.get("/{dataset_id}", summary="Look at a dataset", responses=errors(403, 404))
def get_dataset(dataset_id: DatasetId, identity: CurrentIdentity, datasets: DatasetsService) -> Single[DatasetOut]:
    return Single(data=DatasetOut.from_domain(datasets.get(identity, dataset_id)))


@router.delete("/{dataset_id}", summary="Delete a dataset", responses=errors(403, 404, 409))
def delete_dataset(dataset_id: DatasetId, identity: CurrentIdentity, datasets: DatasetsService) -> Single[DatasetOut]:
    """With its pictures, for good. Refused while a job that has not ended was submitted with it."""
    return Single(data=DatasetOut.from_domain(datasets.delete(identity, dataset_id)))


@router.get("/{dataset_id}/report", summary="What is wrong with a dataset", responses=errors(400, 403, 404))
def get_report(
    dataset_id: DatasetId,
    identity: CurrentIdentity,
    datasets: DatasetsService,
    resolution: Annotated[
        int, Query(ge=256, le=1024, multiple_of=64, description="The one that a job will train at.")
    ] = 512,
) -> Single[ReportOut]:
    """Judged are the items that a job may train on. Nothing here keeps a job from being submitted."""
    return Single(data=ReportOut.from_domain(datasets.report(identity, dataset_id, resolution=resolution)))


@router.get("/{dataset_id}/recommendations", summary="Settings that suit a dataset", responses=errors(400, 403, 404))
def list_recommendations(
    dataset_id: DatasetId,
    identity: CurrentIdentity,
    datasets: DatasetsService,
    type: TrainingType = TrainingType.LORA,  # noqa: A002 - the contract's word
) -> Listing[RecommendationOut]:
    """Each that differs from its default, with the reason. Judged are the items that a job may train on."""
    found = datasets.recommendations(identity, dataset_id, type)
    return Listing.whole([RecommendationOut.from_domain(each) for each in found])


@router.get("/{dataset_id}/items", summary="A dataset's items", responses=errors(400, 403, 404))
def list_items(
    dataset_id: DatasetId, query: Annotated[ItemQuery, Query()], identity: CurrentIdentity, datasets: DatasetsService
) -> Listing[DatasetItemOut]:
    page, page_size = query.page, query.page_size
    if query.problem is None:
        found = datasets.items(identity, dataset_id, page=page, page_size=page_size)
    else:
        found = datasets.items_with(
            identity, dataset_id, query.problem, resolution=query.resolution, page=page, page_size=page_size
        )
    data = [DatasetItemOut.from_domain(item) for item in found.items]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


@router.patch("/{dataset_id}/items/{item_id}", summary="Curate an item", responses=errors(400, 403, 404))
def change_item(
    dataset_id: DatasetId,
    item_id: ItemId,
    identity: CurrentIdentity,
    datasets: DatasetsService,
    body: ItemBody | None = None,
) -> Single[DatasetItemOut]:
    """What is left out stays. Holds for jobs submitted from now on; those submitted already train on what it was."""
    item = datasets.change_item(identity, dataset_id, item_id, body.to_domain() if body else {})
    return Single(data=DatasetItemOut.from_domain(item))


@router.get(
    "/{dataset_id}/items/{item_id}/image",
    summary="Look at an item",
    response_class=Response,
    responses={
        **errors(403, 404),
        200: {"content": {"image/jpeg": {}}, "description": "A copy of at most 512 pixels a side, made by the server."},
    },
)
def show_item(dataset_id: DatasetId, item_id: ItemId, identity: CurrentIdentity, datasets: DatasetsService) -> Response:
    picture = datasets.preview(identity, dataset_id, item_id)
    return Response(picture, media_type="image/jpeg", headers=_PICTURE_HEADERS)
