"""Submitting, watching and cancelling jobs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Response
from fastapi.concurrency import run_in_threadpool

from api.dependencies import CurrentIdentity, JobId, JobsService, QueueService, Stopping, admit
from api.patience import wait_for
from api.router import Router, reads_few
from api.schemas.describing import JobPatch
from api.schemas.envelope import GUARDED, Listing, Single, errors, example
from api.schemas.job_actions import CancelBody, RetryBody
from api.schemas.plans import PlanOut
from api.schemas.queue import QueueOut
from api.schemas.training import (
    UNDECIDED,
    JobOut,
    JobQuery,
    SubmitAnswer,
    SubmitBody,
)
from api.submission import SubmissionSteps, status_and_message
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.job_store import JobFilter

router = Router(prefix="/training", tags=["jobs"], dependencies=[Depends(admit)], responses=GUARDED)

_SUBMIT_ERRORS = errors(400, 403, 404, 409, 500)
ACTIVE = tuple(status for status in JobStatus if status.is_active)
_POLL_SECONDS = 1.0
MOST_ACTIVE = 1_000  # far more than any limit of active jobs
DryRun = Annotated[bool, Query(description="Answer with the plan; nothing is stored.")]


@router.post(
    "/submit",
    summary="Submit a job",
    responses={
        **_SUBMIT_ERRORS,
        202: {"model": SubmitAnswer, "description": "Accepted; its launch is undecided.", **example(UNDECIDED)},
    },
)
async def submit_job(
    body: SubmitBody, steps: SubmissionSteps, *, dry_run: DryRun = False
) -> SubmitAnswer | Single[PlanOut]:
    """Stores the job and waits, about 15 seconds at most, until its container runs, it has to queue, or the launch
    failed."""
    if dry_run:
        return Single(data=PlanOut.from_domain(await steps.plan(body.to_domain())))
    outcome = await steps.submit(body.to_domain(), accepted=body.accepted_warnings)
    status, message = status_and_message(outcome)
    return SubmitAnswer(job_id=outcome.job.id, status=status, message=message)


@router.post(
    "/jobs",
    status_code=201,
    summary="Submit a job and get all of it",
    responses={
        **_SUBMIT_ERRORS,
        200: {"model": Single[PlanOut], "description": "The plan that `dry_run` asked for."},
        202: {"model": Single[JobOut], "description": "Accepted; its launch is undecided."},
    },
)
async def create_job(
    body: SubmitBody,
    steps: SubmissionSteps,
    response: Response,
    identity: CurrentIdentity,
    jobs: JobsService,
    *,
    dry_run: DryRun = False,
) -> Single[JobOut] | Single[PlanOut]:
    """Like `/training/submit`, with which it shares everything but the answer."""
    if dry_run:
        return Single(data=PlanOut.from_domain(await steps.plan(body.to_domain())))
    outcome = await steps.submit(body.to_domain(), accepted=body.accepted_warnings)
    response.headers["Location"] = f"/api/training/jobs/{outcome.job.id}"
    view = await run_in_threadpool(jobs.get, identity, outcome.job.id)
    return Single(data=JobOut.from_domain(view))


@router.get("/jobs", summary="List the caller's jobs", responses=errors(400))
@reads_few
def list_jobs(query: Annotated[JobQuery, Query()], identity: CurrentIdentity, jobs: JobsService) -> Listing[JobOut]:
    found = jobs.list(identity, query.to_domain(), page=query.page, page_size=query.page_size)
    data = [JobOut.from_domain(view) for view in found.views]
    return Listing(data=data, total=found.total, page=query.page, page_size=query.page_size)


@router.get("/active", summary="The caller's active jobs")
@reads_few
def list_active_jobs(identity: CurrentIdentity, jobs: JobsService) -> Listing[JobOut]:
    """Those that are being launched or run, newest first."""
    found = jobs.list(identity, JobFilter(statuses=ACTIVE), page=1, page_size=MOST_ACTIVE)
    return Listing.whole([JobOut.from_domain(view) for view in found.views])


@router.get("/queue", summary="Look at the queue")
def get_queue(identity: CurrentIdentity, queue: QueueService) -> Single[QueueOut]:
    """Where the caller's waiting jobs stand, the one rule that holds each, and when its turn will come."""
    return Single(data=QueueOut.from_domain(queue.look(identity)))


@router.get("/jobs/{job_id}", summary="Look at a job", responses=errors(404))
@reads_few
def get_job(job_id: JobId, identity: CurrentIdentity, jobs: JobsService) -> Single[JobOut]:
    return Single(data=JobOut.from_domain(jobs.get(identity, job_id)))


@router.patch("/jobs/{job_id}", summary="Name, note and tag a job", responses=errors(400, 404))
def describe_job(job_id: JobId, identity: CurrentIdentity, jobs: JobsService, body: JobPatch) -> Single[JobOut]:
    """In any state, without a word to its run. What is left out stays."""
    return Single(data=JobOut.from_domain(jobs.describe(identity, job_id, body.to_domain())))


@router.delete("/jobs/{job_id}", summary="Delete a job", responses=errors(404, 409))
def delete_job(job_id: JobId, identity: CurrentIdentity, jobs: JobsService) -> Single[JobOut]:
    """One that has not ended is cancelled. One that has is gone at once, with its records, its files and the model
    version that its adapter is registered as; the answer is the job as it was. Until `restorable_until` it can be
    brought back, where this installation leaves time for that; then it is removed for good."""
    return Single(data=JobOut.from_domain(jobs.delete(identity, job_id)))


@router.post("/jobs/{job_id}/restore", summary="Bring a deleted job back", responses=errors(404))
def restore_job(job_id: JobId, identity: CurrentIdentity, jobs: JobsService) -> Single[JobOut]:
    """With all that is its own, as if it had not been deleted. One that is there stays as it is."""
    return Single(data=JobOut.from_domain(jobs.restore(identity, job_id)))


@router.get("/deleted", summary="The caller's jobs that can be brought back")
def list_deleted_jobs(identity: CurrentIdentity, jobs: JobsService) -> Listing[JobOut]:
    """The hundred deleted last, the last in front, each with the time until which it can be brought back."""
    return Listing.whole([JobOut.from_domain(view) for view in jobs.deleted(identity)])


@router.post("/jobs/{job_id}/poll", summary="Have a job looked at now", responses=errors(404))
async def poll_job(job_id: JobId, identity: CurrentIdentity, jobs: JobsService, stopping: Stopping) -> Single[JobOut]:
    """The orchestrator looks at its container and its report at once instead of in its turn. The answer is the job as
    soon as that told something new, and within a second in any case."""
    before = await run_in_threadpool(jobs.poll, identity, job_id)
    if not before.status.is_final:
        await wait_for(lambda: jobs.changed(before), seconds=_POLL_SECONDS, stopping=stopping)
    return Single(data=JobOut.from_domain(await run_in_threadpool(jobs.get, identity, job_id)))


@router.post("/jobs/{job_id}/cancel", summary="Cancel a job", responses=errors(400, 404, 409))
def cancel_job(
    job_id: JobId, identity: CurrentIdentity, jobs: JobsService, body: CancelBody | None = None
) -> Single[JobOut]:
    """A queued job ends at once. A running one is asked to save a checkpoint and ends within its grace period; until
    then it is shown as it is, with `kill_at` once it was told. `save: false` ends its container without that time, also
    when it is asked for later. Asking again for the same changes nothing."""
    wish = body or CancelBody(reason=None)
    view = jobs.cancel(identity, job_id, reason=wish.reason, saves=wish.save)
    return Single(data=JobOut.from_domain(view))


@router.post("/jobs/{job_id}/retry", summary="Try a failed job again", responses=errors(400, 404, 409))
def retry_job(
    job_id: JobId, identity: CurrentIdentity, jobs: JobsService, body: RetryBody | None = None
) -> Single[JobOut]:
    """Queues another attempt with the same settings. It goes on from the newest checkpoint unless the body says
    otherwise."""
    view = jobs.retry(identity, job_id, resume_from=(body or RetryBody()).to_domain())
    return Single(data=JobOut.from_domain(view))
