"""What a job left behind: history, metrics, log and files."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from api.artifact_headers import INERT
from api.dependencies import CurrentIdentity, JobId, RecordsService, admit
from api.router import Router, reads_few
from api.schemas.envelope import GUARDED, Listing, errors
from api.schemas.records import LOG_LINES, ArtifactOut, EventOut, LogListing, MetricListing
from orchestrator.domain.curves import FEWEST_POINTS, MOST_POINTS

router = Router(tags=["records"], dependencies=[Depends(admit)], responses={**GUARDED, **errors(404)})

Points = Annotated[int, Query(ge=FEWEST_POINTS, le=MOST_POINTS, description="How many, about.")]
MAX_EVENTS = 10_000
MAX_LOG_LINES = 10_000


@router.get("/training/jobs/{job_id}/events", summary="A job's history", responses=errors(400))
@reads_few
def list_events(
    job_id: JobId,
    identity: CurrentIdentity,
    records: RecordsService,
    after: Annotated[int, Query(ge=0, le=2**53, description="Only events with a greater id.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 1_000,
) -> Listing[EventOut]:
    events = records.events(identity, job_id, after_id=after, limit=limit)
    return Listing.whole([EventOut.from_domain(event) for event in events])


@router.get("/training/jobs/{job_id}/metrics", summary="A job's metrics, step by step", responses=errors(400))
@reads_few
def list_metrics(
    job_id: JobId,
    identity: CurrentIdentity,
    records: RecordsService,
    points: Points = MOST_POINTS,
    attempt: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="Only those of this attempt.")] = None,
) -> MetricListing:
    """In order of attempt and step. A series of more than `points` steps is thinned: the lowest and highest loss of
    each stretch, both ends and every step with a validation loss stay."""
    return MetricListing.from_domain(records.curve(identity, job_id, attempt=attempt, points=points))


@router.get("/training/jobs/{job_id}/logs", summary="Lines of a job's log", responses={**errors(400), **LOG_LINES})
def read_log(
    job_id: JobId,
    identity: CurrentIdentity,
    records: RecordsService,
    tail: Annotated[int, Query(ge=1, le=MAX_LOG_LINES, description="How many lines.")] = 200,
    after: Annotated[
        int | None, Query(ge=0, le=2**53, description="Those behind this line; without it the last ones.")
    ] = None,
) -> LogListing:
    """What the container printed: for people, and not to be trusted as HTML. All attempts share one log."""
    return LogListing.from_domain(records.log(identity, job_id, tail=tail, after=after))


@router.get(
    "/training/jobs/{job_id}/logs/download",
    summary="Download a job's log",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "All of it, as it was captured."}},
)
def download_log(job_id: JobId, identity: CurrentIdentity, records: RecordsService) -> StreamingResponse:
    headers = {**INERT, "Content-Disposition": f'attachment; filename="{job_id}.log"'}
    return StreamingResponse(
        records.whole_log(identity, job_id), media_type="text/plain; charset=utf-8", headers=headers
    )


@router.get("/training/jobs/{job_id}/artifacts", summary="A job's files")
def list_artifacts(job_id: JobId, identity: CurrentIdentity, records: RecordsService) -> Listing[ArtifactOut]:
    return Listing.whole([ArtifactOut.from_domain(artifact) for artifact in records.artifacts(identity, job_id)])
