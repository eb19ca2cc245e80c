"""Jobs looked back on."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime, BeforeValidator

from api.dependencies import AnalysisService, CurrentIdentity, JobId, admit
from api.router import Router
from api.schemas.analysis import ComparisonOut, RunOut, RunStatus, StatisticsOut
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.training import JobQuery
from orchestrator.domain.curves import FEWEST_POINTS

router = Router(tags=["analysis"], dependencies=[Depends(admit)], responses=GUARDED)

_MOST_COMPARED = 16
CurvePoints = Annotated[int, Query(ge=FEWEST_POINTS, le=10_000, description="Points of a curve, about.")]
JobIds = Annotated[
    list[uuid.UUID],
    BeforeValidator(lambda value: [word for part in value for word in str(part).split(",") if word]),
    Query(min_length=1, max_length=_MOST_COMPARED, description="Repeated or separated by commas."),
]

Baseline = Annotated[
    uuid.UUID | None,
    Query(description="A job to hold the others against; in front of them where it is not among `ids`."),
]


def _rfc3339(text: object) -> object:
    """A bare number would be taken for seconds since 1970."""
    if isinstance(text, str) and text.lstrip("+-").replace(".", "", 1).isdecimal():
        raise ValueError("must be a date and time with its offset, such as 2026-11-21T03:00:00Z")
    return text


_Written = BeforeValidator(_rfc3339)
Since = Annotated[AwareDatetime | None, _Written, Query(description="Default: 30 days before `until`.")]
Until = Annotated[AwareDatetime | None, _Written, Query(description="Default: now.")]


@router.get("/analysis/training/jobs", summary="What came of the caller's jobs", responses=errors(400))
def list_runs(
    query: Annotated[JobQuery, Query()], identity: CurrentIdentity, analysis: AnalysisService
) -> Listing[RunOut]:
    found = analysis.list(identity, query.to_domain(), page=query.page, page_size=query.page_size)
    data = [RunOut.from_domain(outcome) for outcome in found.outcomes]
    return Listing(data=data, total=found.total, page=query.page, page_size=query.page_size)


@router.get("/analysis/training/status/{job_id}", summary="One run with its history", responses=errors(400, 404))
def get_run_status(
    job_id: JobId, identity: CurrentIdentity, analysis: AnalysisService, points: CurvePoints = 1_000
) -> Single[RunStatus]:
    """A run's id is its job's."""
    return Single(data=RunStatus.from_domain(analysis.story(identity, job_id, points=points)))


@router.get("/analysis/training/compare", summary="Jobs side by side", responses=errors(400, 404))
def compare_jobs(
    ids: JobIds,
    identity: CurrentIdentity,
    analysis: AnalysisService,
    points: CurvePoints = 500,
    baseline: Baseline = None,
) -> Single[ComparisonOut]:
    """Their curves, final figures, and the settings in which they differ."""
    found = analysis.compare(
        identity, [str(each) for each in ids], points=points, baseline=str(baseline) if baseline else None
    )
    return Single(data=ComparisonOut.from_domain(found))


@router.get("/training/stats", summary="Jobs counted", responses=errors(400, 403))
def get_statistics(
    identity: CurrentIdentity,
    analysis: AnalysisService,
    since: Since = None,
    until: Until = None,
    scope: Annotated[
        Literal["own", "all"], Query(description="`all` counts everybody's, by user too, for administrators.")
    ] = "own",
) -> Single[StatisticsOut]:
    """Of the jobs submitted from `since` on and before `until`: how many by state, how many succeed, how long they wait
    and run, GPU hours and costs; in all, by day and by base model."""
    found = analysis.statistics(identity, since=since, until=until, of_everybody=scope == "all")
    return Single(data=StatisticsOut.of(found))
