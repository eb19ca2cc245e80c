"""Plain training: a tiny real regression that shows in seconds that the machine trains."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from api.dependencies import CurrentIdentity, Limits, TrainService, admit
from api.idempotency import IdempotencyKey, submission_of
from api.router import Router
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.train import StopTrainBody, TrainBody, TrainOut

router = Router(prefix="/train", tags=["diagnostic"], dependencies=[Depends(admit)], responses=GUARDED)


async def _count_submission(request: Request, response: Response, _: CurrentIdentity, limits: Limits) -> None:
    """It takes a slot and a device as every job does."""
    response.headers.update(limits.count_submission(request))


@router.post(
    "",
    status_code=201,
    summary="Start a diagnostic job",
    responses=errors(400, 409),
    dependencies=[Depends(_count_submission)],
)
def start_train(
    body: TrainBody, identity: CurrentIdentity, train: TrainService, idempotency_key: IdempotencyKey = None
) -> Single[TrainOut]:
    """It waits its turn, runs in a container of its own, reports, and leaves `model.pt`: a job like any other."""
    wanted = body.to_domain()
    submission = submission_of(idempotency_key, {"train": dataclasses.asdict(wanted)})
    return Single(data=TrainOut.from_domain(train.start(identity, wanted, submission)))


@router.get("/status", summary="Look at a diagnostic job", responses=errors(400, 404))
def get_train_status(
    job_id: Annotated[uuid.UUID, Query()], identity: CurrentIdentity, train: TrainService
) -> Single[TrainOut]:
    return Single(data=TrainOut.from_domain(train.status(identity, str(job_id))))


@router.post("/stop", summary="Stop a diagnostic job", responses=errors(400, 404, 409))
def stop_train(body: StopTrainBody, identity: CurrentIdentity, train: TrainService) -> Single[TrainOut]:
    """It ends as `cancelled`, a running one within its grace period."""
    return Single(data=TrainOut.from_domain(train.stop(identity, str(body.job_id))))


@router.get("/jobs", summary="List the caller's diagnostic jobs", responses=errors(400))
def list_train_jobs(
    identity: CurrentIdentity,
    train: TrainService,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[TrainOut]:
    """Newest first."""
    found = train.list(identity, page=page, page_size=page_size)
    data = [TrainOut.from_domain(view) for view in found.views]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)
