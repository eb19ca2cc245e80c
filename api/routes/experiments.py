"""Experiments: jobs side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from api.dependencies import CurrentIdentity, ExperimentId, ExperimentsService, JobId, admit
from api.router import Router
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.experiments import (
    ExperimentBody,
    ExperimentDetail,
    ExperimentOut,
    ExperimentPatch,
    MeasuredBody,
)

router = Router(prefix="/experiments", tags=["experiments"], dependencies=[Depends(admit)], responses=GUARDED)


@router.post("", status_code=201, summary="Begin an experiment", responses=errors(400))
def begin_experiment(
    body: ExperimentBody, identity: CurrentIdentity, experiments: ExperimentsService
) -> Single[ExperimentOut]:
    """A job joins it with `experiment_id` in its submission."""
    begun = experiments.begin(identity, name=body.name, description=body.description, params=body.params)
    return Single(data=ExperimentOut.of(begun, job_count=0))


@router.get("", summary="List the caller's experiments", responses=errors(400))
def list_experiments(
    identity: CurrentIdentity,
    experiments: ExperimentsService,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[ExperimentOut]:
    """Newest first."""
    found = experiments.list(identity, page=page, page_size=page_size)
    data = [ExperimentOut.of(each, job_count=found.job_counts.get(each.id, 0)) for each in found.experiments]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)


@router.get("/{experiment_id}", summary="An experiment with its jobs side by side", responses=errors(404))
def get_experiment(
    experiment_id: ExperimentId, identity: CurrentIdentity, experiments: ExperimentsService
) -> Single[ExperimentDetail]:
    return Single(data=ExperimentDetail.from_domain(experiments.get(identity, experiment_id)))


@router.patch("/{experiment_id}", summary="Change an experiment", responses=errors(400, 404))
def change_experiment(
    experiment_id: ExperimentId,
    identity: CurrentIdentity,
    experiments: ExperimentsService,
    body: ExperimentPatch | None = None,
) -> Single[ExperimentDetail]:
    """What is left out stays; `params` replace all there were."""
    experiments.change(identity, experiment_id, body.to_domain() if body else {})
    return Single(data=ExperimentDetail.from_domain(experiments.get(identity, experiment_id)))


@router.delete("/{experiment_id}", summary="Delete an experiment", responses=errors(404))
def delete_experiment(
    experiment_id: ExperimentId, identity: CurrentIdentity, experiments: ExperimentsService
) -> Single[ExperimentOut]:
    """Its jobs stay, and belong to no experiment."""
    return Single(data=ExperimentOut.of(experiments.delete(identity, experiment_id), job_count=0))


@router.patch("/{experiment_id}/jobs/{job_id}", summary="Note what was measured of a job", responses=errors(400, 404))
def measure_job(
    experiment_id: ExperimentId,
    job_id: JobId,
    identity: CurrentIdentity,
    experiments: ExperimentsService,
    body: MeasuredBody | None = None,
) -> Single[ExperimentDetail]:
    """Such as how a person liked its samples. A figure sent again replaces the earlier one."""
    view = experiments.measure(identity, experiment_id, job_id, body.metrics if body else {})
    return Single(data=ExperimentDetail.from_domain(view))
