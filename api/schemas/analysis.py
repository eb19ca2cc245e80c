"""Jobs looked back on. The names of a run are those that dashboards already read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.schemas.records import MetricOut
from api.schemas.words import WORDS
from orchestrator.domain.analysis import Contrast, Margin
from orchestrator.domain.estimates import Tariff
from orchestrator.domain.events import JobEvent, Metric
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.statistics import Tally
from orchestrator.services.analysis import Comparison, Outcome, Statistics, Story

# Keys of tallies.
_Day = Annotated[str, Field(examples=["2026-11-20"])]
_BaseModelId = Annotated[str, Field(examples=[WORDS["base_model"]])]
_UserId = Annotated[str, Field(examples=[WORDS["user_id"]])]


class RunOut(BaseModel):
    """One job in a list of runs."""

    id: str
    runId: str = Field(description="The job's id, like `id` and `jobId`.")  # noqa: N815 - the contract's names
    jobId: str  # noqa: N815
    name: str | None
    status: JobStatus
    baseModel: str  # noqa: N815
    datasets: list[str] = Field(description="Ids; a job has one.")
    teacherModel: None = Field(None, description="Always null: no LoRA job has one.")  # noqa: N815
    epoch: int
    trainLoss: float | None  # noqa: N815
    step: int | None = Field(description="The step of `trainLoss`.", examples=[1000])
    bestTrainLoss: float | None = Field(description="The lowest.", examples=[0.0812])  # noqa: N815
    bestTrainStep: int | None = Field(description="The step of `bestTrainLoss`.", examples=[950])  # noqa: N815
    valLoss: float | None = Field(description="The newest, or the best when the newest step had none.")  # noqa: N815
    bestValLoss: float | None  # noqa: N815
    bestStep: int | None = Field(description="The step of `bestValLoss`.")  # noqa: N815
    accuracy: None = Field(None, description="Always null: a diffusion model's pictures are not right or wrong.")
    throughput: float | None = Field(description="Samples a second.")
    bestCheckpoint: str | None = Field(description="The one saved nearest to the lowest validation loss.")  # noqa: N815
    lastCheckpoint: str | None  # noqa: N815
    startedAt: datetime | None  # noqa: N815
    finishedAt: datetime | None  # noqa: N815
    progress: float = Field(description="Percent.")

    @classmethod
    def from_domain(cls, outcome: Outcome) -> RunOut:
        job, metrics, result = outcome.job, outcome.job.progress.metrics, outcome.result
        return cls(
            id=job.id,
            runId=job.id,
            jobId=job.id,
            name=job.name,
            status=job.status,
            baseModel=job.base_model,
            datasets=[job.dataset_id],
            epoch=job.progress.current_epoch,
            trainLoss=metrics.get("loss"),
            step=int(metrics["step"]) if "step" in metrics else None,  # a trainer may say 1.5
            bestTrainLoss=job.progress.best_loss,
            bestTrainStep=job.progress.best_loss_step,
            valLoss=metrics.get("val_loss", result.best_val_loss),
            bestValLoss=result.best_val_loss,
            bestStep=result.best_step,
            throughput=metrics.get("throughput"),
            bestCheckpoint=result.best_checkpoint,
            lastCheckpoint=result.last_checkpoint,
            startedAt=job.started_at,
            finishedAt=job.completed_at,
            progress=job.progress.progress,
        )


class RunMetrics(BaseModel):
    """Where a run stands."""

    epoch: int
    step: int
    trainLoss: float | None  # noqa: N815
    valLoss: float | None  # noqa: N815
    bestValLoss: float | None  # noqa: N815
    bestStep: int | None = Field(description="The step of `bestValLoss`.")  # noqa: N815
    accuracy: None = None
    throughput: float | None
    learningRate: float | None  # noqa: N815


class HistoryPoint(BaseModel):
    """Measurements at one step."""

    attempt: int
    step: int
    epoch: int
    loss: float
    val_loss: float | None
    accuracy: None = None
    learning_rate: float | None
    throughput: float | None
    timestamp: datetime

    @classmethod
    def from_domain(cls, metric: Metric) -> HistoryPoint:
        return cls(
            attempt=metric.attempt,
            step=metric.step,
            epoch=metric.epoch,
            loss=metric.loss,
            val_loss=metric.val_loss,
            learning_rate=metric.learning_rate,
            throughput=metric.throughput,
            timestamp=metric.recorded_at,
        )


class RunLog(BaseModel):
    """One event of a run."""

    timestamp: datetime
    type: str = Field(examples=["checkpoint"])
    message: str = Field(examples=["Saved step-000400."])

    @classmethod
    def from_domain(cls, event: JobEvent) -> RunLog:
        return cls(timestamp=event.at, type=event.type, message=event.message)


class RunStatus(BaseModel):
    """One run from its first step to its last."""

    runId: str  # noqa: N815
    status: JobStatus
    progress: float
    metrics: RunMetrics
    history: list[HistoryPoint] = Field(description="A long one is thinned; extremes and validations stay.")
    logs: list[RunLog] = Field(description="The latest thousand events, oldest first.")

    @classmethod
    def from_domain(cls, story: Story) -> RunStatus:
        run, job = RunOut.from_domain(story.outcome), story.outcome.job
        return cls(
            runId=job.id,
            status=job.status,
            progress=job.progress.progress,
            metrics=RunMetrics(
                epoch=run.epoch,
                step=job.progress.current_step,
                trainLoss=run.trainLoss,
                valLoss=run.valLoss,
                bestValLoss=run.bestValLoss,
                bestStep=run.bestStep,
                throughput=run.throughput,
                learningRate=job.progress.metrics.get("learning_rate"),
            ),
            history=[HistoryPoint.from_domain(metric) for metric in story.curve.points],
            logs=[RunLog.from_domain(event) for event in story.events],
        )


class ResultOut(BaseModel):
    """The final figures of a job, or those so far."""

    step: int
    loss: float | None
    best_loss: float | None = Field(description="The lowest.", examples=[0.0812])
    best_loss_step: int | None = Field(description="The step of `best_loss`.", examples=[950])
    best_val_loss: float | None
    best_step: int | None = Field(description="The step of `best_val_loss`.")
    best_checkpoint: str | None = Field(description="The one saved nearest to `best_step`.")
    last_checkpoint: str | None
    run_seconds: float = Field(description="Of all attempts together.")
    cost: float | None = Field(description="Null where this installation counts no costs.")

    @classmethod
    def from_domain(cls, outcome: Outcome) -> ResultOut:
        result, progress = outcome.result, outcome.job.progress
        return cls(
            step=progress.current_step,
            loss=progress.metrics.get("loss"),
            best_loss=progress.best_loss,
            best_loss_step=progress.best_loss_step,
            best_val_loss=result.best_val_loss,
            best_step=result.best_step,
            best_checkpoint=result.best_checkpoint,
            last_checkpoint=result.last_checkpoint,
            run_seconds=round(result.run_seconds, 1),
            cost=outcome.cost,
        )


class OutcomeOut(BaseModel):
    """A job beside others."""

    job_id: str
    name: str | None
    status: JobStatus
    config: dict[str, Any] = Field(description="Every option.")
    result: ResultOut

    @classmethod
    def from_domain(cls, outcome: Outcome) -> OutcomeOut:
        job = outcome.job
        return cls(
            job_id=job.id,
            name=job.name,
            status=job.status,
            config=job.config.as_params(),
            result=ResultOut.from_domain(outcome),
        )


class MarginOut(BaseModel):
    """By how much losses are above the baseline's: below zero is better."""

    loss: float | None = Field(description="Null where either has none.", examples=[-0.0021])
    best_val_loss: float | None = Field(description="Null where either has none.", examples=[-0.0014])

    @classmethod
    def from_domain(cls, margin: Margin) -> MarginOut:
        return cls(loss=margin.loss, best_val_loss=margin.best_val_loss)


class ComparedJob(OutcomeOut):
    over_baseline: MarginOut | None = Field(description="Null for the baseline itself, and without one.")
    curve: list[MetricOut] = Field(description="A long one is thinned; extremes and validations stay.")
    measured_count: int = Field(description="How many points the whole curve has.", examples=[1000])


class ContrastOut(BaseModel):
    field: str = Field(description="As a submission names it.", examples=["config.lora_rank"])
    values: dict[str, Any] = Field(
        description="By job id.",
        examples=[{WORDS["job_id"]: 16, "41e7c0d9-6b2f-4f3a-8c15-0a9d7e6b5c48": 32}],
    )

    @classmethod
    def from_domain(cls, contrast: Contrast) -> ContrastOut:
        return cls(field=contrast.field, values=dict(contrast.values))


class ComparisonOut(BaseModel):
    """Several jobs side by side."""

    jobs: list[ComparedJob] = Field(description="In the order in which they were asked for.")
    baseline: str | None = Field(
        description="Id of the job that the others are held against.", examples=[WORDS["job_id"]]
    )
    differences: list[ContrastOut] = Field(description="Settings that are not the same for all.")

    @classmethod
    def from_domain(cls, comparison: Comparison) -> ComparisonOut:
        margins = {job_id: MarginOut.from_domain(margin) for job_id, margin in comparison.margins.items()}
        return cls(
            baseline=comparison.baseline,
            jobs=[
                ComparedJob(
                    **dict(OutcomeOut.from_domain(outcome)),
                    over_baseline=margins.get(outcome.job.id),
                    curve=[MetricOut.from_domain(metric) for metric in comparison.curves[outcome.job.id].points],
                    measured_count=comparison.curves[outcome.job.id].measured_count,
                )
                for outcome in comparison.outcomes
            ],
            differences=[ContrastOut.from_domain(each) for each in comparison.contrasts],
        )


class TallyOut(BaseModel):
    """Some jobs, counted."""

    total: int = Field(examples=[20])
    jobs: dict[JobStatus, int] = Field(description="By state.", examples=[{"completed": 19, "failed": 1}])
    success_rate: float | None = Field(description="Completed of those that completed or failed, 0 to 1.")
    mean_queue_seconds: float | None = Field(description="From submission to the first start.")
    mean_run_seconds: float | None = Field(description="Of all attempts of a job together.")
    gpu_hours: float = Field(description="Hours times GPUs held; CPU slots on a machine without any.")
    cost: float | None = Field(description="Null where this installation counts no costs.")

    @classmethod
    def from_domain(cls, tally: Tally, tariff: Tariff) -> TallyOut:
        return cls(
            total=tally.total,
            jobs=dict(tally.jobs),
            success_rate=tally.success_rate,
            mean_queue_seconds=tally.mean_queue_seconds,
            mean_run_seconds=tally.mean_run_seconds,
            gpu_hours=round(tally.gpu_seconds / 3_600, 4),
            cost=tariff.cost(gpus=1, seconds=tally.gpu_seconds),
        )


class StatisticsOut(TallyOut):
    """The jobs submitted in a time, counted in all and by what they have in common."""

    since: datetime
    until: datetime
    currency: str
    by_day: dict[_Day, TallyOut] = Field(description="By the day of submission, UTC; days without a job are left out.")
    by_base_model: dict[_BaseModelId, TallyOut]
    by_user: dict[_UserId, TallyOut] | None = Field(description="Only with `scope=all`.")

    @classmethod
    def of(cls, statistics: Statistics) -> StatisticsOut:
        def listed(tallies: Mapping[str, Tally]) -> dict[str, TallyOut]:
            return {name: TallyOut.from_domain(tally, statistics.tariff) for name, tally in tallies.items()}

        return cls(
            **dict(TallyOut.from_domain(statistics.all, statistics.tariff)),
            since=statistics.scope.since,
            until=statistics.scope.until,
            currency=statistics.tariff.currency,
            by_day=listed(statistics.by_day),
            by_base_model=listed(statistics.by_base_model),
            by_user=listed(statistics.by_user) if statistics.by_user is not None else None,
        )
