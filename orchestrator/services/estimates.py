"""What jobs will take and cost, before they run and while they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.domain.estimates import (
    Estimate,
    Run,
    Saved,
    Tariff,
    estimate,
    estimate_by_progress,
    saved_by_ending,
    work_of,
)
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.scheduling import is_cpu
from orchestrator.domain.training import TrainingType
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.services.recent_runs import RecentRuns


class Estimates:
    def __init__(self, *, jobs: JobStore, records: RecordStore, clock: Clock, tariff: Tariff) -> None:
        self._recent_runs = RecentRuns(jobs=jobs, clock=clock)
        self._records = records
        self._clock = clock
        self._tariff = tariff

    def of(self, jobs: Sequence[Job]) -> Mapping[str, Estimate]:
        """By job id. A job that has ended has none, and neither has one like which nothing ran here before."""
        unfinished = [job for job in jobs if not job.status.is_final and job.type is not TrainingType.DIAGNOSTIC]
        if not unfinished:
            return {}
        runs = self._recent_runs.read()
        status = self._records.engine_status()
        devices = status.devices if status else ()
        found = {job.id: self._of(job, runs, devices) for job in unfinished}
        return {job_id: made for job_id, made in found.items() if made is not None}

    def saved(self, job: Job) -> Saved | None:
        """What an end before the last step saved: one that was asked for, or one that came of no improvement."""
        if job.type is TrainingType.DIAGNOSTIC or job.started_at is None or job.completed_at is None:
            return None
        gave_up = job.status is JobStatus.COMPLETED and job.training_config.early_stopping_patience is not None
        if job.status is not JobStatus.CANCELLED and not gave_up:
            return None
        is_on_gpu = not any(map(is_cpu, job.gpu_ids))
        run = Run(
            work=work_of(job.base_model, job.training_config, is_on_gpu=is_on_gpu),
            steps=job.progress.current_step - job.begins_after,
            seconds=(job.completed_at - job.started_at).total_seconds(),
            samples_a_second=job.progress.metrics.get("throughput"),
        )
        return saved_by_ending(run, job.config.steps - job.progress.current_step, gpus=job.gpus, tariff=self._tariff)

    def _of(self, job: Job, runs: Sequence[Run], devices: Sequence[str]) -> Estimate | None:
        elapsed = (self._clock.now() - job.started_at).total_seconds() if job.started_at else 0.0
        remaining = job.progress.eta_seconds
        if remaining is not None and job.status.is_active:
            return estimate_by_progress(elapsed, remaining, gpus=job.gpus, tariff=self._tariff)
        if job.type is TrainingType.DIAGNOSTIC:  # it ends in seconds
            return None
        held = job.gpu_ids or devices
        work = work_of(job.base_model, job.training_config, is_on_gpu=bool(held) and not any(map(is_cpu, held)))
        return estimate(work, job.config.steps - job.begins_after, runs, gpus=job.gpus, tariff=self._tariff)
