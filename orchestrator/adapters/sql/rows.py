"""Domain values to table rows and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import sqlalchemy as sa

from orchestrator.domain.diagnostic import DiagnosticConfig
from orchestrator.domain.estimates import Run, work_of
from orchestrator.domain.events import JobEvent, Metric, storable
from orchestrator.domain.job import Attempt, Job, Progress
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.lineage import Lineage, LineageItem
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.scheduling import is_cpu
from orchestrator.domain.training import TrainingConfig, TrainingType

_PROGRESS_FIELDS = tuple(field.name for field in dataclasses.fields(Progress))
_JOB_FIELDS = tuple(field.name for field in dataclasses.fields(Job) if field.name != "progress")
_ATTEMPT_FIELDS = tuple(field.name for field in dataclasses.fields(Attempt))


def job_row(job: Job) -> dict[str, Any]:
    """A row of training_jobs; the submission's columns are not part of a job."""
    row = {name: getattr(job, name) for name in _JOB_FIELDS}
    row |= {name: getattr(job.progress, name) for name in _PROGRESS_FIELDS}
    row["config"] = job.config.as_params()
    row["tags"] = list(job.tags)
    row["trigger_words"] = list(job.trigger_words)
    row["gpu_ids"] = list(job.gpu_ids)
    row["error_message"] = storable(job.error_message)  # may quote what a container wrote
    return row


def job_from(row: sa.RowMapping) -> Job:
    values = {name: row[name] for name in _JOB_FIELDS}
    values["type"] = TrainingType(row["type"])
    values["status"] = JobStatus(row["status"])
    values["end_reason"] = _reason(row["end_reason"])
    values["memory_profile"] = MemoryProfile(row["memory_profile"])
    kind = DiagnosticConfig if values["type"] is TrainingType.DIAGNOSTIC else TrainingConfig
    values["config"] = kind.from_params(row["config"])
    values["tags"] = tuple(row["tags"])
    values["trigger_words"] = tuple(row["trigger_words"])
    values["gpu_ids"] = tuple(row["gpu_ids"])
    return Job(**values, progress=Progress(**{name: row[name] for name in _PROGRESS_FIELDS}))


def run_from(row: sa.RowMapping) -> Run:
    """What a completed job's row says of how fast this installation is."""
    config, metrics = TrainingConfig.from_params(row["config"]), row["metrics"]
    memory = metrics.get("gpu_memory_bytes")
    return Run(
        work=work_of(row["base_model"], config, is_on_gpu=not any(map(is_cpu, row["gpu_ids"]))),
        steps=row["current_step"],
        seconds=(row["completed_at"] - row["started_at"]).total_seconds(),
        samples_a_second=metrics.get("throughput"),
        gpu_memory_bytes=int(memory) if memory is not None else None,
    )


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    row = {name: getattr(attempt, name) for name in _ATTEMPT_FIELDS}
    row["devices"] = list(attempt.devices)
    row["progress"] = dataclasses.asdict(attempt.progress) if attempt.progress is not None else sa.null()
    return row


def attempt_from(row: sa.RowMapping, prefix: str = "") -> Attempt:
    values = {name: row[prefix + name] for name in _ATTEMPT_FIELDS}
    values["devices"] = tuple(values["devices"])
    values["end_reason"] = _reason(values["end_reason"])
    values["stop_reason"] = _reason(values["stop_reason"])
    values["memory_profile"] = MemoryProfile(values["memory_profile"])
    values["progress"] = Progress(**values["progress"]) if values["progress"] is not None else None
    return Attempt(**values)


def event_row(event: JobEvent) -> dict[str, Any]:
    return {
        "job_id": event.job_id,
        "attempt": event.attempt,
        "event_type": event.type,
        "old_status": event.old_status,
        "new_status": event.new_status,
        "message": storable(event.message),
        "data": storable(event.data),
        "created_at": event.at,
    }


def event_from(row: sa.RowMapping) -> JobEvent:
    return JobEvent(
        id=row["id"],
        job_id=row["job_id"],
        attempt=row["attempt"],
        type=row["event_type"],
        old_status=row["old_status"],
        new_status=row["new_status"],
        message=row["message"],
        data=row["data"],
        at=row["created_at"],
    )


def metric_row(metric: Metric) -> dict[str, Any]:
    row = dataclasses.asdict(metric)
    row["run_id"] = row.pop("job_id")
    row["timestamp"] = row.pop("recorded_at")
    return row


def metric_from(row: sa.RowMapping) -> Metric:
    values = dict(row)
    values["job_id"] = values.pop("run_id")
    values["recorded_at"] = values.pop("timestamp")
    return Metric(**values)


def lineage_row(lineage: Lineage) -> dict[str, Any]:
    row = {field.name: getattr(lineage, field.name) for field in dataclasses.fields(Lineage)}
    return row | {"items": [list(item) for item in lineage.items]}


def lineage_from(row: sa.RowMapping) -> Lineage:
    values: dict[str, Any] = dict(row)
    values["items"] = tuple(LineageItem(*item) for item in row["items"])
    values["memory_profile"] = MemoryProfile(row["memory_profile"])
    return Lineage(**values)


def _reason(value: str | None) -> EndReason | None:
    return EndReason(value) if value is not None else None
