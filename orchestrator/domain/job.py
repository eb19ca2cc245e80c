"""A job, its attempts, and the only ways in which either changes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from orchestrator.domain.artifact import checkpoint_step
from orchestrator.domain.diagnostic import DiagnosticConfig
from orchestrator.domain.errors import Conflict
from orchestrator.domain.lifecycle import ALLOWED, ENDINGS, EndReason, JobStatus
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.training import TrainingConfig, TrainingType

FROM_SCRATCH = "scratch"  # as `resume_from`: no checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where training stands, as the trainer last reported it."""

    progress: float = 0.0  # percent, 0..100
    phase: str | None = None  # load, preprocess, train, evaluate, register
    current_step: int = 0
    total_steps: int = 0
    current_epoch: int = 0
    total_epochs: int = 0
    eta_seconds: float | None = None
    train_count: int | None = None
    val_count: int | None = None
    checkpoint_step: int | None = None  # of the newest checkpoint
    metrics: dict[str, Any] = dataclasses.field(default_factory=dict)  # the last metrics event
    # The lowest of all attempts, and the step at which it was measured.
    best_loss: float | None = None
    best_loss_step: int | None = None
    best_val_loss: float | None = None
    best_val_loss_step: int | None = None

    @property
    def best_step(self) -> int | None:
        """At which training was at its best: by its validations where there were any."""
        return self.best_loss_step if self.best_val_loss_step is None else self.best_val_loss_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request for one adapter. Frozen: a change is a new value, saved against `version`."""

    id: str
    user_id: str
    dataset_id: str
    type: TrainingType
    base_model: str
    config: TrainingConfig | DiagnosticConfig  # the latter where `type` says so
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] = ()
    trigger_words: tuple[str, ...] = ()
    preset: str | None = None
    priority: int = 0
    experiment_id: str | None = None
    retry_of: str | None = None
    continues: str | None = None  # another job, which it goes on from
    continues_from: str | None = None  # the folder name of that one's checkpoint
    gpus: int = 1  # devices an attempt holds
    max_runtime_seconds: int | None = None  # from the first start; None: the installation's limit
    status: JobStatus = JobStatus.QUEUED
    version: int = 1
    attempt: int = 0  # number of the newest attempt, 0 before the first
    slot: int | None = None  # 1..limit while active
    container_id: str | None = None
    gpu_ids: tuple[str, ...] = ()
    image_digest: str | None = None
    progress: Progress = Progress()
    cancel_requested_at: datetime | None = None
    cancel_reason: str | None = None
    kill_at: datetime | None = None  # its container was told to stop, or is not to be asked: until then it may save
    retries: int = 0  # attempts that infrastructure broke; each was made up for by another
    retry_at: datetime | None = None  # a queued job waits until then
    memory_profile: MemoryProfile = MemoryProfile.NORMAL
    resume_from: str | None = None  # a checkpoint's folder name; None: the newest there is
    dataset_sha256: str | None = None  # the version that it trains on; None: submitted before there were versions
    excluded_items: dict[str, int] = dataclasses.field(default_factory=dict)  # of the dataset, by `Exclusion`
    end_reason: EndReason | None = None
    exit_code: int | None = None
    error_message: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None  # only of an ended one; until it is removed it can be brought back

    @property
    def is_cancel_requested(self) -> bool:
        return self.cancel_requested_at is not None

    @property
    def training_config(self) -> TrainingConfig:
        """Raises Conflict (NO_ADAPTER) for a diagnostic job, which trains none."""
        if isinstance(self.config, DiagnosticConfig):
            raise Conflict(f"Job {self.id} is a diagnostic job, which trains no adapter.", code="NO_ADAPTER")
        return self.config

    @property
    def begins_after(self) -> int:
        """The step that a continued job goes on after; 0 for any other."""
        return checkpoint_step(self.continues_from or "") or 0

    @property
    def is_launch_failure(self) -> bool:
        """Whether the job failed before its container ever ran."""
        return self.status is JobStatus.FAILED and self.started_at is None

    def claimed(self, *, slot: int, devices: tuple[str, ...], at: datetime) -> Job:
        """The job holding a slot and devices for its next attempt."""
        return self._moved(
            JobStatus.PENDING,
            at,
            slot=slot,
            attempt=self.attempt + 1,
            container_id=None,
            gpu_ids=devices,
            retry_at=None,
        )

    def with_container(self, container_id: str, *, image_digest: str | None, at: datetime) -> Job:
        return dataclasses.replace(self, container_id=container_id, image_digest=image_digest, updated_at=at)

    def running(self, *, started_at: datetime, at: datetime) -> Job:
        """`started_at` stays the first attempt's: a deadline beats the number of retries."""
        return self._moved(JobStatus.RUNNING, at, started_at=self.started_at or started_at, error_message=None)

    def with_progress(self, progress: Progress, *, at: datetime) -> Job:
        return dataclasses.replace(self, progress=progress, updated_at=at)

    def requeued(self, *, at: datetime, message: str | None, **changes: Any) -> Job:
        """The job waiting for another attempt; `message` says why the last one ended.

        Raises Conflict for a job whose cancellation was asked for: it is never started again.
        """
        if self.is_cancel_requested:
            raise Conflict(f"Job {self.id} was cancelled and is not started again.", code="JOB_CANCELLED")
        return self._moved(
            JobStatus.QUEUED,
            at,
            slot=None,
            gpu_ids=(),
            kill_at=None,
            error_message=message,
            progress=dataclasses.replace(self.progress, eta_seconds=None),
            **changes,
        )

    def reopened(self, *, at: datetime, resume_from: str | None) -> Job:
        """A failed job waiting for the attempt its user asked for, with the patience of a new one."""
        if resume_from == FROM_SCRATCH and self.continues_from is not None:
            resume_from = self.continues_from
        begins_at = checkpoint_step(resume_from) if resume_from else self.progress.checkpoint_step
        back = dataclasses.replace(self, progress=dataclasses.replace(self.progress, checkpoint_step=begins_at))
        return back.requeued(
            at=at,
            message=None,
            retries=0,
            retry_at=None,
            resume_from=resume_from,
            end_reason=None,
            exit_code=None,
            started_at=None,
            completed_at=None,
        )

    def ended(
        self, reason: EndReason, *, at: datetime, message: str | None = None, exit_code: int | None = None
    ) -> Job:
        """The job in the final state that `reason` maps to, slot and devices given back."""
        ending = ENDINGS[reason]
        is_complete = ending.status is JobStatus.COMPLETED
        return self._moved(
            ending.status,
            at,
            slot=None,
            kill_at=None,
            end_reason=reason,
            exit_code=exit_code,
            error_message=None if is_complete else (message or ending.sentence),
            completed_at=at,
            progress=dataclasses.replace(
                self.progress, progress=100.0 if is_complete else self.progress.progress, eta_seconds=None
            ),
        )

    def _moved(self, status: JobStatus, at: datetime, **changes: Any) -> Job:
        if status not in ALLOWED[self.status]:
            message = f"Job {self.id} cannot go from {self.status} to {status}."
            raise Conflict(message, code="ILLEGAL_TRANSITION")
        return dataclasses.replace(self, status=status, updated_at=at, **changes)


class JobChanges(TypedDict, total=False):
    """What its owner may say of a job at any time; what is absent stays. `tags` replace all there were."""

    name: str | None
    notes: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One container's worth of trying. Written before the container is created, so a crash leaves a trace."""

    job_id: str
    number: int
    container_name: str
    created_at: datetime
    devices: tuple[str, ...] = ()
    container_id: str | None = None
    engine_id: str | None = None
    engine_missed_at: datetime | None = None  # when another engine was first found in its place
    image_digest: str | None = None
    spec_hash: str | None = None
    started_at: datetime | None = None
    stop_requested_at: datetime | None = None  # when we sent SIGTERM
    finished_at: datetime | None = None
    exit_code: int | None = None
    is_oom_killed: bool = False
    end_reason: EndReason | None = None
    stop_reason: EndReason | None = None  # why we asked the container to stop
    kill_count: int = 0  # SIGKILLs sent so far
    killed_at: datetime | None = None  # the last of them
    memory_profile: MemoryProfile = MemoryProfile.NORMAL
    resume_from: str | None = None  # the checkpoint it was told to start from
    last_event_at: datetime | None = None  # when the trainer last said something
    progress: Progress | None = None  # newer than the job's own, which follows at a slower pace
    outputs_bytes: int = 0  # size of the outputs folder, as last measured
    events_offset: int = 0  # where in events.jsonl to read on
    events_bytes: int = 0  # bytes of events.jsonl taken in for this attempt
    history_rows: int = 0  # rows of the history that its trainer made
    log_since: str | None = None  # Docker's timestamp of the newest captured log line, nine digits
    log_since_count: int = 0  # lines already captured that carry that timestamp
    log_bytes: int = 0  # size of the job's log file with exactly the captured lines in it

    def evolve(self, **changes: Any) -> Attempt:
        return dataclasses.replace(self, **changes)


def container_name(job_id: str, attempt: int) -> str:
    """The deterministic name that makes a second container of one attempt impossible."""
    return f"training-{job_id}" if attempt == 1 else f"training-{job_id}-{attempt}"
