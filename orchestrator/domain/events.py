"""Lines a trainer wrote, and the events Lorry records. A container is hostile, so parsing never raises."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeGuard

from orchestrator.domain.identity import Actor
from orchestrator.domain.job import Job, Progress
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.registered_model import ModelVersion

PHASES = ("load", "preprocess", "train", "evaluate", "register")
MAX_TEXT_LENGTH = 2_000
# Keeps 1e308 and integers of any length out of float columns and of readers of JSON.
_MAX_MAGNITUDE = 1e30
# Far beyond any honest event, far below where a reader of JSON runs out of stack.
MAX_NESTING = 32
# A longer line is no event. A shorter one neither: this is {"v":1,"type":"a"}.
MAX_LINE_BYTES = 64 * 1024
_MIN_LINE_BYTES = 18
# No training has so many steps; it bounds the rows of a trainer that counts on for ever.
MAX_STEP = 1_000_000
# What one attempt may say in all, and how much of it the history keeps.
MAX_EVENTS_BYTES = 256 * 1024**2
MAX_HISTORY_ROWS = 10_000
# How a job ends hangs on these, so some room is left for them when the history is full.
_DECISIVE = ("result", "error")
_RESERVED_ROWS = 100
# Types of our own rows, which a trainer cannot write.
_OUR_TYPES = ("status", "cancel", "stop", "stuck", "engine", "gap", "collected", "promotion")


@dataclass(frozen=True, slots=True)
class TrainerEvent:
    """One valid line of events.jsonl; `fields` holds everything but v, type and at, unknown keys included."""

    type: str
    fields: dict[str, Any]
    at: datetime | None = field(default=None, compare=False)  # by the trainer's clock, which may say anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of training_metrics; the key is (job, attempt, step)."""

    job_id: str
    attempt: int
    step: int
    epoch: int
    loss: float
    val_loss: float | None
    learning_rate: float | None
    throughput: float | None  # samples per second
    gpu_utilization: float | None
    gpu_memory_bytes: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """One row of a job's history: a transition of ours, or something the trainer said."""

    job_id: str
    attempt: int
    type: str
    message: str
    at: datetime
    old_status: str | None = None
    new_status: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    id: int | None = None  # given by the store, ascending


def parse_line(line: bytes) -> TrainerEvent | None:
    """The event in one line, or None when it is none: too long, not UTF-8, no object, no type, too deep, not finite."""
    if not _MIN_LINE_BYTES <= len(line) <= MAX_LINE_BYTES:
        return None
    try:
        event = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
        if not isinstance(event, dict) or event.get("v") != 1 or not isinstance(event.get("type"), str):
            return None
        fields = storable({key: value for key, value in event.items() if key not in ("v", "type", "at")})
    except (ValueError, RecursionError):
        return None
    return TrainerEvent(_storable_text(event["type"])[:64], fields, at=_instant(event.get("at")))


def storable(value: Any, *, nesting: int = 0) -> Any:
    """`value` with every text in it bounded, and such that each store and each reader of JSON takes it.

    Raises ValueError when it is nested deeper than MAX_NESTING.
    """
    if nesting > MAX_NESTING:
        raise ValueError(f"nested deeper than {MAX_NESTING}")
    if isinstance(value, str):
        return _storable_text(value)[:MAX_TEXT_LENGTH]
    if isinstance(value, list):
        return [storable(item, nesting=nesting + 1) for item in value]
    if isinstance(value, dict):
        return {
            _storable_text(key)[:MAX_TEXT_LENGTH]: storable(item, nesting=nesting + 1) for key, item in value.items()
        }
    return value


def _storable_text(text: str) -> str:
    """Postgres refuses NUL; half a surrogate pair, which JSON's escapes may hold, cannot be written as UTF-8."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def status_event(
    before: Job | None,
    after: Job,
    message: str,
    *,
    reason: EndReason | None = None,
    actor: Actor = Actor.ORCHESTRATOR,
) -> JobEvent:
    """The history row of a transition; `before` is None for a new job, `reason` is why its last attempt ended."""
    reason = reason or after.end_reason
    return JobEvent(
        job_id=after.id,
        attempt=after.attempt,
        type="status",
        message=message,
        at=after.updated_at,
        old_status=before.status if before else None,
        new_status=after.status,
        data={"actor": actor} | ({"end_reason": reason} if reason else {}),
    )


def promotion_event(job: Job, version: ModelVersion, *, actor: Actor) -> JobEvent:
    """The history row of a checkpoint that became a version of a registered model."""
    return JobEvent(
        job_id=job.id,
        attempt=job.attempt,
        type="promotion",
        message=f"Step {version.step} was registered as version {version.version} of {version.name}.",
        at=version.created_at,
        data={"actor": actor, "step": version.step, "model": version.name, "version": version.version},
    )


def progress_after(progress: Progress, events: Iterable[TrainerEvent]) -> Progress:
    """`progress` moved on by `events`; fields of a wrong kind are left as they were."""
    for event in events:
        progress = _progress_after(progress, event)
    return progress


def metrics_in(events: Iterable[TrainerEvent], *, job_id: str, attempt: int, at: datetime) -> list[Metric]:
    """The metrics rows in `events`; of a step that was reported twice the first stands, as it does in the store."""
    rows = (_metric(event.fields, job_id=job_id, attempt=attempt, at=at) for event in events if event.type == "metrics")
    first: dict[int, Metric] = {}
    for row in rows:
        if row is not None:
            first.setdefault(row.step, row)
    return list(first.values())


def history_in(events: Iterable[TrainerEvent], *, job_id: str, attempt: int, at: datetime) -> list[JobEvent]:
    """The history rows in `events`: everything but progress and metrics, which have tables of their own."""
    return [
        JobEvent(
            job_id=job_id,
            attempt=attempt,
            type=f"trainer_{event.type}" if event.type in _OUR_TYPES else event.type,
            message=_sentence(event)[:MAX_TEXT_LENGTH],
            data=event.fields,
            at=at,
        )
        for event in events
        if event.type not in ("progress", "metrics")
    ]


def kept_history(rows: Sequence[JobEvent], *, stored: int, full: JobEvent) -> list[JobEvent]:
    """Those of `rows` for which the history still has room when `stored` of the attempt's are in it.

    `full` is the row that says so, once. After it there is some room left for results and errors alone.
    """
    kept: list[JobEvent] = []
    for row in rows:
        if stored + len(kept) == MAX_HISTORY_ROWS:
            kept.append(full)
        room = MAX_HISTORY_ROWS + (_RESERVED_ROWS if row.type in _DECISIVE else 0)
        if stored + len(kept) < room:
            kept.append(row)
    return kept


def gap_event(message: str, *, job_id: str, attempt: int, at: datetime) -> JobEvent:
    """The history row that stands where something a trainer said is missing."""
    return JobEvent(job_id=job_id, attempt=attempt, type="gap", message=message, at=at)


def _progress_after(progress: Progress, event: TrainerEvent) -> Progress:
    if event.type == "phase":
        phase = event.fields.get("phase")
        return replace(progress, phase=phase) if phase in PHASES else progress
    if event.type == "metrics" and _is_number(event.fields.get("loss")):
        return replace(progress, metrics={k: v for k, v in event.fields.items() if _is_number(v)})
    if event.type == "progress":
        return _with_reported(progress, event.fields)
    if event.type == "checkpoint" and _is_count(step := event.fields.get("step")):
        return replace(progress, checkpoint_step=step)
    return progress


def _with_reported(progress: Progress, fields: dict[str, Any]) -> Progress:
    counts: dict[str, Any] = {
        target: int(fields[source])
        for target, source in (
            ("current_step", "step"),
            ("total_steps", "total_steps"),
            ("current_epoch", "epoch"),
            ("total_epochs", "total_epochs"),
            ("train_count", "train_count"),
            ("val_count", "val_count"),
        )
        if _is_count(fields.get(source))
    }
    percent = fields.get("progress")
    eta = fields.get("eta_seconds")
    return replace(
        progress,
        **counts,
        progress=min(100.0, max(0.0, float(percent))) if _is_number(percent) else progress.progress,
        eta_seconds=max(0.0, float(eta)) if _is_number(eta) else None,
    )


def _metric(fields: dict[str, Any], *, job_id: str, attempt: int, at: datetime) -> Metric | None:
    step, loss = fields.get("step"), fields.get("loss")
    if not _is_count(step) or step > MAX_STEP or not _is_number(loss):
        return None
    epoch, memory = fields.get("epoch"), fields.get("gpu_memory_bytes")
    return Metric(
        job_id=job_id,
        attempt=attempt,
        step=step,
        epoch=epoch if _is_count(epoch) else 0,
        loss=float(loss),
        val_loss=_number(fields.get("val_loss")),
        learning_rate=_number(fields.get("learning_rate")),
        throughput=_number(fields.get("throughput")),
        gpu_utilization=_number(fields.get("gpu_utilization")),
        gpu_memory_bytes=memory if _is_count(memory) else None,
        recorded_at=at,
    )


def _sentence(event: TrainerEvent) -> str:
    message = event.fields.get("message")
    if isinstance(message, str):
        return message
    phase = event.fields.get("phase")
    if event.type == "phase" and isinstance(phase, str):
        return f"Phase {phase} began."
    step = event.fields.get("step")
    return f"{event.type.capitalize()} at step {step}." if _is_count(step) else f"{event.type.capitalize()}."


def _number(value: Any) -> float | None:
    return float(value) if _is_number(value) else None


def _is_number(value: Any) -> TypeGuard[float]:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < _MAX_MAGNITUDE
        and math.isfinite(value)
    )


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _instant(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    """JSON has no infinity, but 1e999 reads as one."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
