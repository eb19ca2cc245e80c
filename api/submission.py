"""Taking a submission and waiting, for a bounded time, until it can be answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dependencies import CurrentIdentity, JobsService, Limits, Options, Stopping, of_app
from api.errors import LaunchFailed
from api.idempotency import IdempotencyKey, submission_of
from api.patience import wait_for
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.plan_warnings import WarningCode
from orchestrator.services.drafts import SubmitRequest
from orchestrator.services.plans import Plan

_RESPOND_ASYNC = "respond-async"
# Submissions that wait for the store's one writer leave all other threads to those who only look.
SUBMIT_THREADS = 4

SubmitThreads = Annotated[CapacityLimiter, Depends(of_app(lambda state: state.submit_threads))]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored job, and whether it was decided in time that it starts, waits or ended."""

    job: Job
    is_decided: bool
    waits_for: str | None = None  # the reason, when it is queued


class Submitting:
    """What both submitting routes do; built by FastAPI from the request's headers."""

    def __init__(
        self,
        *,
        identity: CurrentIdentity,
        jobs: JobsService,
        limits: Limits,
        options: Options,
        stopping: Stopping,
        threads: SubmitThreads,
        request: Request,
        response: Response,
        prefer: Annotated[
            str, Header(alias="Prefer", description="`respond-async` answers 202 without waiting for the launch.")
        ] = "",
        idempotency_key: IdempotencyKey = None,
    ) -> None:
        self._identity = identity
        self._jobs = jobs
        self._limits = limits
        self._request = request
        self._response = response
        self._wait_seconds = options.submit_wait_seconds
        self._stopping = stopping
        self._threads = threads
        self._key = idempotency_key
        self._is_async = _RESPOND_ASYNC in {preference.strip().lower() for preference in prefer.split(",")}

    async def plan(self, wanted: SubmitRequest) -> Plan:
        """What `submit` would do; stores nothing and does not count as a submission."""
        self._response.status_code = 200
        return await run_in_threadpool(self._jobs.plan, self._identity, wanted)

    async def submit(self, wanted: SubmitRequest, *, accepted: Collection[WarningCode] | None) -> Outcome:
        """Store the job and wait for its launch. Raises LaunchFailed when its container could not be started."""
        self._response.headers.update(self._limits.count_submission(self._request))
        submission = submission_of(self._key, dataclasses.asdict(wanted))
        submit = partial(self._jobs.submit, self._identity, wanted, submission, accepted=accepted)
        job = await anyio.to_thread.run_sync(submit, limiter=self._threads)
        if self._is_async:
            self._response.headers["Preference-Applied"] = _RESPOND_ASYNC
            self._response.status_code = 202
            return Outcome(job, is_decided=False)
        decided = await wait_for(
            lambda: self._jobs.decided(job.id), seconds=self._wait_seconds, stopping=self._stopping
        )
        if decided is not None and decided.is_launch_failure:
            raise LaunchFailed(decided.error_message or "The container did not start.", facts={"job_id": job.id})
        return Outcome(decided or job, is_decided=decided is not None, waits_for=await self._reason_to_wait(decided))

    async def _reason_to_wait(self, decided: Job | None) -> str | None:
        if decided is None or decided.status is not JobStatus.QUEUED:
            return None
        view = await run_in_threadpool(self._jobs.get, self._identity, decided.id)
        return view.place.reason if view.place else None


SubmissionSteps = Annotated[Submitting, Depends()]


def status_and_message(outcome: Outcome) -> tuple[JobStatus, str]:
    """What the submitter reads."""
    if not outcome.is_decided:
        return JobStatus.PENDING, "The job was accepted; its launch has not been decided yet."
    job = outcome.job
    if outcome.waits_for is not None:
        return job.status, f"The job is queued and starts by itself when its turn comes. Now: {outcome.waits_for}."
    return job.status, job.error_message or _MESSAGES[job.status]


_MESSAGES = {
    JobStatus.QUEUED: "The job is queued and starts by itself when its turn comes.",
    JobStatus.PENDING: "The container is being started.",
    JobStatus.RUNNING: "The container is running.",
    JobStatus.COMPLETED: "Training finished and the adapter file was verified.",
    JobStatus.FAILED: "Training failed.",
    JobStatus.CANCELLED: "The job was cancelled.",
}
