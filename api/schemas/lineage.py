"""Where an adapter came from, and what jobs have different."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.registry import ModelVersionOut
from api.schemas.training import ContinuesOut, JobOut
from api.schemas.words import WORDS
from orchestrator.domain.config_diff import Difference
from orchestrator.domain.job import Attempt
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.lineage import as_metadata
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.training import TrainingType
from orchestrator.services.jobs import JobView
from orchestrator.services.reproduction import Continuation, LineageView, Rerun


class LineageItemOut(BaseModel):
    id: str = Field(examples=[WORDS["item_ids"]])
    sha256: str


class LineageDataset(BaseModel):
    """The version that was trained on, whatever became of the dataset since."""

    id: str = Field(examples=[WORDS["dataset_id"]])
    sha256: str
    item_count: int = Field(examples=[1])
    items: list[LineageItemOut]


class LineageBaseModel(BaseModel):
    id: str = Field(examples=[WORDS["base_model"]])
    revision: str


class LineageAdapter(BaseModel):
    name: str = Field(description="As it was registered; it may have been renamed since.")
    version: int
    sha256: str | None = Field(description="Of the main file; null until the job completes.")


class LineageAttempt(BaseModel):
    """One container's worth of trying."""

    number: int
    image_digest: str | None
    memory_profile: MemoryProfile = Field(description="What it did to need less memory.")
    resume_from: str | None = Field(description="The checkpoint it was told to go on from; null: the newest.")
    started_at: datetime | None
    finished_at: datetime | None
    end_reason: EndReason | None = Field(examples=["adapter_verified"])

    @classmethod
    def from_domain(cls, attempt: Attempt) -> LineageAttempt:
        return cls(
            number=attempt.number,
            image_digest=attempt.image_digest,
            memory_profile=attempt.memory_profile,
            resume_from=attempt.resume_from,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            end_reason=attempt.end_reason,
        )


class LineageOut(BaseModel):
    """The chain from the dataset to the adapter."""

    job_id: str
    attempt: int = Field(description="The one that this is the lineage of: the newest.")
    dataset: LineageDataset
    caption_template: str = Field(description="How prompts were made of captions.", examples=["sks cat, {caption}"])
    base_model: LineageBaseModel
    image_digest: str = Field(description="Of the training image.")
    type: TrainingType
    trigger_words: list[str]
    config: dict[str, Any] = Field(description="Every option, the seed among them.")
    config_sha256: str = Field(description="Over type, config and trigger words: equal requests have equal hashes.")
    memory_profile: MemoryProfile
    adapter: LineageAdapter
    promoted: list[ModelVersionOut] = Field(description="Checkpoints that were registered, earliest step first.")
    attempts: list[LineageAttempt]
    rerun_of: str | None = Field(description="The job that this one was to repeat.")
    continues: ContinuesOut | None = Field(description="The job that this one went on from.", examples=[None])
    metadata: dict[str, str] = Field(
        description="The same facts, as they stand in the adapter file's metadata.",
        examples=[{"lorry.base_model": WORDS["base_model"], "lorry.attempt": "1"}],
    )

    @classmethod
    def from_domain(cls, view: LineageView) -> LineageOut:
        job, lineage = view.job, view.lineage
        items = [LineageItemOut(id=item.id, sha256=item.sha256) for item in lineage.items]
        return cls(
            job_id=job.id,
            attempt=lineage.attempt,
            dataset=LineageDataset(
                id=lineage.dataset_id, sha256=lineage.dataset_sha256, item_count=len(items), items=items
            ),
            caption_template=lineage.caption_template,
            base_model=LineageBaseModel(id=lineage.base_model, revision=lineage.base_model_revision),
            image_digest=lineage.image_digest,
            type=job.type,
            trigger_words=list(job.trigger_words),
            config=job.config.as_params(),
            config_sha256=lineage.config_sha256,
            memory_profile=lineage.memory_profile,
            adapter=LineageAdapter(
                name=lineage.model_name, version=lineage.model_version, sha256=lineage.adapter_sha256
            ),
            promoted=[ModelVersionOut.from_domain(version) for version in view.promoted],
            attempts=[LineageAttempt.from_domain(attempt) for attempt in view.attempts],
            rerun_of=job.retry_of,
            continues=ContinuesOut.from_domain(job),
            metadata=as_metadata(lineage),
        )


class DifferenceOut(BaseModel):
    """One fact that is not the same."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"field": "config.seed", "before": 42, "after": 43}},
    )

    field: str
    before: Any = Field(description="Null where it is not known, or not there.")
    after: Any

    @classmethod
    def from_domain(cls, difference: Difference) -> DifferenceOut:
        return cls(field=difference.field, before=difference.before, after=difference.after)


class RerunOut(BaseModel):
    """A new job, and what about it cannot be as it was the first time."""

    job: JobOut
    differences: list[DifferenceOut] = Field(description="Empty: the adapter will be the same.")

    @classmethod
    def from_domain(cls, rerun: Rerun) -> RerunOut:
        return cls(
            job=JobOut.from_domain(JobView(rerun.job)),
            differences=[DifferenceOut.from_domain(difference) for difference in rerun.differences],
        )


class ContinuationOut(BaseModel):
    """A job that goes on where another ended, and what is to be said of it."""

    job: JobOut | None = Field(description="Null with `dry_run`: nothing was stored.")
    checkpoint: str = Field(description="What it goes on from.", examples=["step-001000"])
    step: int = Field(description="Of that checkpoint.", examples=[1000])
    steps: int = Field(description="That it takes in all, those up to the checkpoint included.", examples=[2000])
    differences: list[DifferenceOut] = Field(description="What it has different from the other job.")
    remarks: list[str] = Field(
        description="For people: how it compares with a job of as many steps that was never interrupted.",
        examples=[["It ends as a job of 2,000 steps would that was never interrupted."]],
    )

    @classmethod
    def from_domain(cls, found: Continuation, *, is_plan: bool) -> ContinuationOut:
        job = found.job
        return cls(
            job=None if is_plan else JobOut.from_domain(JobView(job)),
            checkpoint=job.continues_from or "",
            step=job.begins_after,
            steps=job.config.steps,
            differences=[DifferenceOut.from_domain(difference) for difference in found.differences],
            remarks=list(found.remarks),
        )
