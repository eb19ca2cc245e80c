"""Where an adapter came from, making it once more, and going on from it."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dependencies import CurrentIdentity, JobId, Limits, OtherJobId, ReproductionService, admit
from api.idempotency import IdempotencyKey, submission_of
from api.router import Router
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.job_actions import ContinueBody
from api.schemas.lineage import ContinuationOut, DifferenceOut, LineageOut, RerunOut

DryRun = Annotated[bool, Query(description="Answer with what it would do; nothing is stored.")]

router = Router(
    prefix="/training/jobs/{job_id}",
    tags=["records"],
    dependencies=[Depends(admit)],
    responses={**GUARDED, **errors(404)},
)


@router.get("/lineage", summary="What an adapter was made from")
def get_lineage(job_id: JobId, identity: CurrentIdentity, reproduction: ReproductionService) -> Single[LineageOut]:
    """Dataset, items, caption template, base model, image, config, adapter; the file's metadata says the same."""
    return Single(data=LineageOut.from_domain(reproduction.lineage(identity, job_id)))


@router.post("/rerun", status_code=201, summary="Run an ended job once more", responses=errors(400, 409))
async def rerun_job(
    job_id: JobId,
    identity: CurrentIdentity,
    reproduction: ReproductionService,
    *,
    limits: Limits,
    request: Request,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> Single[RerunOut]:
    """A new job with the same settings and seed, on the same version of the dataset, to give the same adapter.
    `differences` names what cannot be as it was: a base model or an image that is another by now."""
    response.headers.update(limits.count_submission(request))
    submission = submission_of(idempotency_key, {"rerun": job_id})
    rerun = await run_in_threadpool(reproduction.rerun, identity, job_id, submission)
    response.headers["Location"] = f"/api/training/jobs/{rerun.job.id}"
    return Single(data=RerunOut.from_domain(rerun))


@router.post(
    "/continue",
    status_code=201,
    summary="Continue an ended job",
    responses={
        **errors(400, 409),
        200: {"model": Single[ContinuationOut], "description": "What `dry_run` asked for: what it would do."},
    },
)
async def continue_job(
    job_id: JobId,
    identity: CurrentIdentity,
    reproduction: ReproductionService,
    *,
    limits: Limits,
    request: Request,
    response: Response,
    body: ContinueBody | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Single[ContinuationOut]:
    """A new job that goes on from a checkpoint of this one, with its settings and more steps, on the same version of
    the dataset. The state of the optimizer goes with it, and what it sees next is what would have come next."""
    wanted = (body or ContinueBody(steps=None, from_checkpoint=None)).to_domain()
    if dry_run:
        response.status_code = 200
        plan = await run_in_threadpool(reproduction.plan_to_continue, identity, job_id, wanted)
        return Single(data=ContinuationOut.from_domain(plan, is_plan=True))
    response.headers.update(limits.count_submission(request))
    submission = submission_of(idempotency_key, {"continue": job_id, **dataclasses.asdict(wanted)})
    found = await run_in_threadpool(reproduction.continue_, identity, job_id, wanted, submission)
    response.headers["Location"] = f"/api/training/jobs/{found.job.id}"
    return Single(data=ContinuationOut.from_domain(found, is_plan=False))


@router.get("/diff", summary="What two jobs have different", responses=errors(400))
def diff_jobs(
    job_id: JobId, identity: CurrentIdentity, reproduction: ReproductionService, other_id: OtherJobId
) -> Listing[DifferenceOut]:
    """Settings, dataset, base model and image: `before` is this job's, `after` the other's."""
    found = reproduction.diff(identity, job_id, other_id)
    return Listing.whole([DifferenceOut.from_domain(difference) for difference in found])
