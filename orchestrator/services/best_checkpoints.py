"""Which checkpoint is worth looking at, of each of several jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.domain.bests import nearest_checkpoint
from orchestrator.domain.job import Job
from orchestrator.ports.record_store import RecordStore


def best_checkpoints(records: RecordStore, jobs: Sequence[Job]) -> Mapping[str, str]:
    """The kept one saved nearest to a job's best step, by job id; a job without either is left out."""
    steps = {job.id: job.progress.best_step for job in jobs if job.progress.best_step is not None}
    kept = records.checkpoints(steps) if steps else {}
    found = {job_id: nearest_checkpoint(names, steps[job_id]) for job_id, names in kept.items()}
    return {job_id: name for job_id, name in found.items() if name is not None}
