"""Jobs as they are asked for and as they are shown."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict

from api.schemas.bests import Bests
from api.schemas.queue import QueuePlace
from api.schemas.savings import SavedOut
from api.schemas.texts import Name, Search, TriggerWord
from api.schemas.training_options import ConfigField
from api.schemas.words import WORDS
from orchestrator.domain.estimates import Basis, Estimate
from orchestrator.domain.job import Job, Progress
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.plan_warnings import WarningCode
from orchestrator.domain.training import TrainingType
from orchestrator.ports.job_store import JobFilter, JobOrder
from orchestrator.services.drafts import SubmitRequest
from orchestrator.services.jobs import JobView

Id = Annotated[uuid.UUID, Field(strict=False)]


class SubmitBody(BaseModel):
    """What to train, on what, and how."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "dataset_id": WORDS["dataset_id"],
                "type": "lora",
                "base_model": "lorry/tiny-sd15",
                "config": {"learning_rate": 0.0001, "steps": 1000, "resolution": 512, "lora_rank": 16},
                "name": "my cat",
                "trigger_words": ["sks cat"],
            }
        },
    )

    dataset_id: Id = Field(description="A dataset of the caller.")
    type: TrainingType = Field(
        description="`lora` trains on the captions, `dreambooth` on one prompt made of the trigger words."
    )
    base_model: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$",
        description="namespace/name, from the catalogue.",
    )
    config: ConfigField = Field(description="Options of the trainer; what is left out takes its default.")
    name: Name | None = Field(None, description="For people.")
    trigger_words: list[TriggerWord] = Field([], max_length=16, description="Words that will call up the subject.")
    preset: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="Options to start from, by name from `/catalog/presets`; those in `config` win.",
    )
    priority: int = Field(0, ge=-1, le=2, strict=True, description="Higher starts first.")
    gpus: int = Field(
        1, ge=1, le=16, strict=True, description="GPUs the job holds at once; CPU slots on a machine without any."
    )
    experiment_id: Id | None = Field(None, description="The experiment this job belongs to.")
    max_runtime_seconds: int | None = Field(
        None, ge=60, le=30 * 86_400, strict=True, description="Longest run; null is this installation's limit."
    )
    accepted_warnings: list[WarningCode] | None = Field(
        None,
        max_length=len(WarningCode),
        description="Of the dry run's. With such a list any other warning is a 409; without one none holds a job up.",
    )

    @field_validator("type")
    @classmethod
    def _trains_an_adapter(cls, value: TrainingType) -> TrainingType:
        if value is TrainingType.DIAGNOSTIC:
            raise ValueError("must be lora or dreambooth; `POST /train` starts a diagnostic job")
        return value

    def to_domain(self) -> SubmitRequest:
        return SubmitRequest(
            dataset_id=str(self.dataset_id),
            type=self.type,
            base_model=self.base_model,
            config=self.config.config,
            chosen=self.config.chosen if self.preset else (),
            name=self.name,
            trigger_words=tuple(self.trigger_words),
            preset=self.preset,
            priority=self.priority,
            gpus=self.gpus,
            experiment_id=str(self.experiment_id) if self.experiment_id else None,
            max_runtime_seconds=self.max_runtime_seconds,
        )


UNDECIDED: JsonDict = {
    "ok": True,
    "success": True,
    "job_id": WORDS["job_id"],
    "status": "pending",
    "message": "The job was accepted; its launch has not been decided yet.",
}


class SubmitAnswer(BaseModel):
    """What became of a submission."""

    ok: Literal[True] = True
    success: Literal[True] = True
    job_id: str
    status: JobStatus = Field(description="`pending`: accepted, and not decided yet whether it starts or waits.")
    message: str = Field(examples=["The container is running."])


class EstimateOut(BaseModel):
    """What a job will take, as far as completed ones or its own progress tell."""

    duration_seconds: float = Field(description="From its start to its end.")
    cost: float | None = Field(description="Null where this installation counts no costs.")
    memory_bytes: int | None = Field(description="Of a GPU, at its peak; null where nothing like it was measured.")
    basis: Basis = Field(description="What this rests on.", examples=["same_settings"])
    run_count: int = Field(description="Completed jobs that it rests on.")
    explanation: str = Field(
        description="The same for people.",
        examples=["Median of 7 jobs completed with the same base model, resolution and images a step."],
    )

    @classmethod
    def from_domain(cls, estimate: Estimate) -> EstimateOut:
        return cls(
            duration_seconds=estimate.duration_seconds,
            cost=estimate.cost,
            memory_bytes=estimate.memory_bytes,
            basis=estimate.basis,
            run_count=estimate.run_count,
            explanation=estimate.sentence,
        )


class ContinuesOut(BaseModel):
    """Where a continued job goes on from."""

    job_id: str
    checkpoint: str = Field(examples=["step-001000"])
    step: int = Field(description="It goes on after this one.", examples=[1000])

    @classmethod
    def from_domain(cls, job: Job) -> ContinuesOut | None:
        if job.continues is None or job.continues_from is None:
            return None
        return cls(job_id=job.continues, checkpoint=job.continues_from, step=job.begins_after)


class JobOut(BaseModel):
    """A job. Every value is computed here; a client only shows them."""

    id: str
    user_id: str
    dataset_id: str
    name: str | None
    type: TrainingType
    base_model: str
    config: dict[str, Any] = Field(description="Every option, defaults filled in.")
    trigger_words: list[str]
    notes: str | None = Field(description="What its owner noted; lines of plain text.")
    tags: list[str] = Field(description="Its owner's, to find it by.")
    preset: str | None
    status: JobStatus
    priority: int
    gpus: int = Field(description="Devices it holds while it runs.")
    attempt: int
    container_id: str | None
    gpu_ids: list[str]
    progress: float = Field(description="Percent.")
    phase: str | None = Field(description="load, preprocess, train, evaluate or register.")
    current_step: int
    total_steps: int
    current_epoch: int
    total_epochs: int
    eta_seconds: float | None
    train_count: int | None = Field(description="Items trained on: foretold until the trainer has counted them.")
    val_count: int | None = Field(description="Items held out.")
    checkpoint_step: int | None = Field(description="Of the newest checkpoint: what would be left of it now.")
    metrics: dict[str, Any] = Field(description="The last ones, with their step.")
    best: Bests = Field(description="The best of each metric so far, and its step.")
    best_checkpoint: str | None = Field(
        description="The kept one saved nearest to the lowest validation loss, or to the lowest loss without any.",
        examples=["step-000400"],
    )
    end_reason: EndReason | None
    exit_code: int | None
    error_message: str | None
    queue: QueuePlace | None = Field(description="Only while queued.", examples=[None])
    estimate: EstimateOut | None = Field(description="Until the job has ended; null while nobody can know.")
    saved: SavedOut | None = Field(
        description="By an early end: a cancel, or no improvement. Null for any other, and while it runs.",
        examples=[None],
    )
    image_digest: str | None
    experiment_id: str | None
    retry_of: str | None
    continues: ContinuesOut | None = Field(description="The job that this one goes on from.", examples=[None])
    retries: int = Field(description="Attempts that infrastructure broke and another one made up for.")
    retry_at: datetime | None = Field(description="A job that waits to be tried again starts no sooner.")
    cancel_requested_at: datetime | None = Field(
        description="Its container gets time to save a checkpoint after that.", examples=[None]
    )
    kill_at: datetime | None = Field(
        description="Until then its container, which was told to stop, may save a checkpoint; then it is killed.",
        examples=[None],
    )
    memory_profile: MemoryProfile = Field(description="What attempts do to need less memory than the config would.")
    max_runtime_seconds: int | None
    dataset_sha256: str | None = Field(description="The version of the dataset that it trains on.")
    excluded_items: dict[str, int] = Field(description="Items of the dataset that it may not train on, by reason.")
    restorable_until: datetime | None = Field(
        description="Only of a deleted one: nothing else shows it any more.", examples=[None]
    )
    undo_delete_seconds: float = Field(
        description="How long it can be brought back once it is deleted; 0: not at all.", examples=[3_600.0]
    )
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @classmethod
    def from_domain(cls, view: JobView) -> JobOut:
        job, progress = view.job, view.job.progress
        as_they_are = {name: getattr(job, name) for name in _OF_JOB} | {
            name: getattr(progress, name) for name in _OF_PROGRESS
        }
        told = {
            "config": job.config.as_params(),
            "total_steps": progress.total_steps or job.config.steps,
            "queue": QueuePlace.from_domain(view.place) if view.place else None,
            "best": Bests.from_domain(progress),
            "best_checkpoint": view.best_checkpoint,
            "estimate": EstimateOut.from_domain(view.estimate) if view.estimate else None,
            "continues": ContinuesOut.from_domain(job),
            "saved": SavedOut.from_domain(view.saved) if view.saved else None,
            "restorable_until": view.restorable_until,
            "undo_delete_seconds": view.undo_seconds,
        }
        return cls(**as_they_are | told)


# What a job is shown with as it is. `progress` is the name of all of it in the one and of a number in the other.
_OF_JOB = {field.name for field in dataclasses.fields(Job)} & JobOut.model_fields.keys() - {"progress"}
_OF_PROGRESS = {field.name for field in dataclasses.fields(Progress)} & JobOut.model_fields.keys()


class JobQuery(BaseModel):
    """Filters and the page of a list of jobs."""

    model_config = ConfigDict(extra="forbid")

    status: list[JobStatus] = Field([], description="Repeated or separated by commas.")
    type: TrainingType | None = None
    base_model: str | None = None
    dataset_id: uuid.UUID | None = None
    experiment_id: uuid.UUID | None = None
    q: Search = Field("", description="Contained in the name, any case.")
    tag: Search = Field("", description="Among its tags, letter by letter.")
    sort: JobOrder = Field(
        JobOrder.NEWEST,
        description="By submission, newest or oldest first; or by the best loss, lowest first, those without one last.",
    )
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=200)

    @field_validator("status", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [word for part in cast(list[str], value) for word in part.split(",") if word]

    def to_domain(self) -> JobFilter:
        return JobFilter(
            statuses=tuple(self.status),
            type=self.type,
            base_model=self.base_model,
            dataset_id=str(self.dataset_id) if self.dataset_id else None,
            experiment_id=str(self.experiment_id) if self.experiment_id else None,
            text=self.q or None,
            tag=self.tag or None,
            order=self.sort,
        )
