"""Base models to choose from, and having them fetched."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Response
from fastapi.concurrency import run_in_threadpool

from api.dependencies import ModelsService, Stopping, admit
from api.download_stream import download_events
from api.router import Router
from api.schemas.assets import ModelOut
from api.schemas.downloads import DownloadBody, DownloadOut
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.streaming import EventStream

router = Router(tags=["models"], dependencies=[Depends(admit)], responses=GUARDED)

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Until the download ends."}
}


async def _known(
    models: ModelsService, model_id: Annotated[str, Query(alias="modelId", max_length=200, examples=["org/model"])]
) -> str:
    """A guard, for once a stream has begun its status has been sent. Raises Rejected (MODEL_NOT_ALLOWED)."""
    await run_in_threadpool(models.get, model_id)
    return model_id


@router.get("/catalog/models", summary="The catalogue of base models")
def list_models(models: ModelsService) -> Listing[ModelOut]:
    """Every model that a job may ask for. One that is `fetchable` and not `ready` is fetched when a job asks for it."""
    return Listing.whole([ModelOut.from_domain(view) for view in models.catalogue()])


@router.post("/models/download/start", summary="Have a model fetched", responses=errors(400, 409))
def start_download(body: DownloadBody, models: ModelsService) -> Single[DownloadOut]:
    """Begin to fetch a model of the catalogue, or join the download that is under way; one that failed begins anew.

    `MODEL_NOT_ALLOWED` outside the catalogue, `MODEL_NOT_FETCHABLE` for a model that only an operator can put here.
    """
    return Single(data=DownloadOut.from_domain(models.fetch(body.modelId)))


@router.get(
    "/models/download/progress",
    summary="Follow a download",
    response_class=Response,
    responses={**_STREAM, **errors(400)},
)
async def follow_download(
    model_id: Annotated[str, Depends(_known)], models: ModelsService, stopping: Stopping
) -> EventStream:
    """Server-sent events, each a `DownloadOut` as JSON: at once, then at every change. The last one says `done` or
    `error`, and the stream closes."""
    return EventStream(download_events(models, model_id, stopping))
