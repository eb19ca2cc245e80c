"""Jobs as they would be: the answer to a dry run."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.schemas.presets import RecommendationOut
from api.schemas.queue import QueuePlace
from api.schemas.training import EstimateOut
from orchestrator.domain.plan_warnings import PlanWarning, WarningCode
from orchestrator.domain.resources import DiskNeed, MemoryNeed
from orchestrator.services.plans import Plan


class DiskNeedOut(BaseModel):
    """What the job may take of the disk, at the most, until its outputs are cleaned away."""

    needed_bytes: int | None = Field(description="Null where the catalogue does not say how large adapters are.")
    free_bytes: int = Field(description="Now, where all of it goes.")
    fits: bool | None
    checkpoint_bytes: int | None = Field(description="Of those that are kept, in the outputs and collected.")
    adapter_bytes: int | None = Field(description="In both formats, in the outputs and collected.")
    sample_bytes: int = Field(description="If nothing of them could be packed.")
    model_bytes: int | None = Field(description="Of a base model that is fetched first.", examples=[0])

    @classmethod
    def from_domain(cls, need: DiskNeed) -> DiskNeedOut:
        return cls(
            needed_bytes=need.needed_bytes,
            free_bytes=need.free_bytes,
            fits=need.fits,
            checkpoint_bytes=need.checkpoint_bytes,
            adapter_bytes=need.adapter_bytes,
            sample_bytes=need.sample_bytes,
            model_bytes=need.model_bytes,
        )


class MemoryNeedOut(BaseModel):
    """What the job takes of the memory of each GPU it holds."""

    needed_bytes: int
    is_measured: bool = Field(
        description="On completed jobs with the same settings; else the model's weights alone, activations on top."
    )
    total_bytes: int | None = Field(description="Of the smallest GPU here: a job may be given any.")
    free_bytes: int | None = Field(description="Now, on the fullest GPU that no job holds; null while jobs hold all.")
    fits: bool | None = Field(description="Null while nobody can know.")

    @classmethod
    def from_domain(cls, need: MemoryNeed) -> MemoryNeedOut:
        return cls(
            needed_bytes=need.needed_bytes,
            is_measured=need.is_measured,
            total_bytes=need.total_bytes,
            free_bytes=need.free_bytes,
            fits=need.fits,
        )


class PlanWarningOut(BaseModel):
    """What speaks against a submission that may be made all the same."""

    code: WarningCode = Field(description="As `accepted_warnings` of a submission takes it.")
    message: str = Field(examples=["It may take 9.4 GB of disk, and 3.1 GB are free."])
    field: str | None = Field(description="That would mend it.", examples=["config.keep_checkpoints"])

    @classmethod
    def from_domain(cls, warning: PlanWarning) -> PlanWarningOut:
        return cls(code=warning.code, message=warning.message, field=warning.field)


class PlanOut(BaseModel):
    """What a submission would do. Nothing was stored."""

    dataset_id: str
    base_model: str
    config: dict[str, Any] = Field(description="Every option, defaults filled in.")
    item_count: int
    captioned_count: int
    excluded_items: dict[str, int] = Field(description="Items that may not be trained on, by reason.")
    train_count: int
    val_count: int
    total_steps: int
    total_epochs: int
    starts_now: bool
    queue: QueuePlace | None = Field(description="Where it would wait, and for what.", examples=[None])
    estimate: EstimateOut | None = Field(description="Null while no job like it has completed here.")
    disk: DiskNeedOut
    memory: MemoryNeedOut | None = Field(description="Null where nobody knows, or no GPU is here.")
    warnings: list[PlanWarningOut] = Field(description="It may be submitted all the same.")
    recommendations: list[RecommendationOut] = Field(description="Settings that would suit the dataset better.")

    @classmethod
    def from_domain(cls, plan: Plan) -> PlanOut:
        return cls(
            dataset_id=plan.dataset.id,
            base_model=plan.job.base_model,
            config=plan.job.config.as_params(),
            item_count=plan.dataset.item_count,
            captioned_count=plan.dataset.captioned_count,
            excluded_items=plan.job.excluded_items,
            train_count=plan.train_count,
            val_count=plan.val_count,
            total_steps=plan.job.config.steps,
            total_epochs=plan.total_epochs,
            starts_now=plan.place is None,
            queue=QueuePlace.from_domain(plan.place) if plan.place else None,
            estimate=EstimateOut.from_domain(plan.estimate) if plan.estimate else None,
            disk=DiskNeedOut.from_domain(plan.disk),
            memory=MemoryNeedOut.from_domain(plan.memory) if plan.memory else None,
            warnings=[PlanWarningOut.from_domain(each) for each in plan.warnings],
            recommendations=[RecommendationOut.from_domain(each) for each in plan.recommendations],
        )
