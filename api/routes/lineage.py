"""Where an adapter came from, and making it once more."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dependencies import CurrentIdentity, JobId, Limits, OtherJobId, ReproductionService, admit
from api.idempotency import IdempotencyKey, submission_of
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.lineage import DifferenceOut, LineageOut, RerunOut

router = APIRouter(
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


@router.get("/diff", summary="What two jobs have different", responses=errors(400))
def diff_jobs(
    job_id: JobId, identity: CurrentIdentity, reproduction: ReproductionService, other_id: OtherJobId
) -> Listing[DifferenceOut]:
    """Settings, dataset, base model and image: `before` is this job's, `after` the other's."""
    found = reproduction.diff(identity, job_id, other_id)
    return Listing.whole([DifferenceOut.from_domain(difference) for difference in found])
