"""Experiments as they are asked for and as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt
from pydantic.config import JsonDict

from api.schemas.analysis import ContrastOut, OutcomeOut
from api.schemas.texts import Description, Name, Reason
from api.schemas.words import WORDS
from orchestrator.domain.experiment import Experiment, ExperimentChanges, ParamValue
from orchestrator.services.experiments import ExperimentView

_MOST_NAMES = 100
_BOUND = 1e30  # keeps numbers out of the range in which databases and readers of JSON disagree
# A pattern alone tells the document nothing of names that do not match it.
_NO_OTHER_NAMES: JsonDict = {"additionalProperties": False}
_Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/ -]{0,99}$")]
_Int = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
_Number = Annotated[StrictFloat, Field(ge=-_BOUND, le=_BOUND, allow_inf_nan=False)]
Params = Annotated[
    dict[_Key, StrictBool | _Int | _Number | Reason],
    Field(
        max_length=_MOST_NAMES,
        description="Notes on what is tried, by name; jobs take nothing from them.",
        json_schema_extra=_NO_OTHER_NAMES,
    ),
]
Figure = Annotated[float, Field(ge=-_BOUND, le=_BOUND, allow_inf_nan=False)]


class ExperimentBody(BaseModel):
    """A new experiment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "ranks", "description": "How small may it be?", "params": {"seed": 42}}},
    )

    name: Name
    description: Description | None = None
    params: Params = {}


class ExperimentPatch(BaseModel):
    """What changes of an experiment; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "ranks and rates"}})

    name: Name | None = None
    description: Description | None = None
    params: Params = {}

    def to_domain(self) -> ExperimentChanges:
        changes = ExperimentChanges()
        if self.name is not None:
            changes["name"] = self.name
        if "description" in self.model_fields_set:
            changes["description"] = self.description
        if "params" in self.model_fields_set:
            changes["params"] = self.params
        return changes


class MeasuredBody(BaseModel):
    """Figures of a job that the trainer did not measure."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"metrics": {"likeness": 4, "speed": None}}}
    )

    metrics: Annotated[dict[_Key, Figure | None], Field(min_length=1, max_length=_MOST_NAMES)] = Field(
        description="By name; null takes an earlier figure away.", json_schema_extra=_NO_OTHER_NAMES
    )


class ExperimentOut(BaseModel):
    id: str = Field(examples=[WORDS["experiment_id"]])
    user_id: str
    name: str = Field(examples=["ranks"])
    description: str | None = Field(examples=["How small may it be?"])
    params: dict[str, ParamValue] = Field(description="The owner's notes on what is tried.")
    job_count: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, experiment: Experiment, *, job_count: int) -> ExperimentOut:
        return cls(
            id=experiment.id,
            user_id=experiment.user_id,
            name=experiment.name,
            description=experiment.description,
            params=dict(experiment.params),
            job_count=job_count,
            created_at=experiment.created_at,
            updated_at=experiment.updated_at,
        )


class ExperimentJob(OutcomeOut):
    measured: dict[str, float] = Field(description="What the owner measured, by name.")


class ExperimentDetail(ExperimentOut):
    """An experiment with its jobs side by side."""

    jobs: list[ExperimentJob] = Field(description="Oldest first; the first 200 where there are more.")
    differences: list[ContrastOut] = Field(description="Settings that are not the same for all of them.")

    @classmethod
    def from_domain(cls, view: ExperimentView) -> ExperimentDetail:
        return cls(
            **dict(ExperimentOut.of(view.experiment, job_count=view.job_count)),
            jobs=[
                ExperimentJob(
                    **dict(OutcomeOut.from_domain(outcome)), measured=dict(view.measured.get(outcome.job.id, {}))
                )
                for outcome in view.outcomes
            ],
            differences=[ContrastOut.from_domain(each) for each in view.contrasts],
        )
