"""The config file a trainer reads: the whole of what a container learns about its job (configs/schemas)."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.container import CACHE_PATH, DATASET_PATH, MODELS_PATH, OUTPUT_PATH
from orchestrator.domain.diagnostic import DiagnosticTable
from orchestrator.domain.job import Job
from orchestrator.domain.memory import applied
from orchestrator.domain.model import CatalogueEntry
from orchestrator.domain.scheduling import is_cpu


def build_diagnostic_config(job: Job, table: DiagnosticTable | None) -> dict[str, Any]:
    """What a diagnostic job's container reads instead; without a table the trainer makes rows up."""
    params = {name: value for name, value in job.config.as_params().items() if name != "steps"}
    return {
        "v": 1,
        "job_id": job.id,
        "attempt": job.attempt,
        "name": job.name or f"{job.type}-{job.id[:8]}",
        "type": str(job.type),
        "dataset_path": f"{DATASET_PATH}/{table.name}" if table else None,
        "output_path": OUTPUT_PATH,
        "device": _device(job),
        "training_params": params,
    }


def build_job_config(
    job: Job, model: CatalogueEntry, lineage: dict[str, str], *, has_cache: bool = False
) -> dict[str, Any]:
    """Paths are the container's own; every training parameter is present."""
    # Left out where there is none: an image made for an earlier Lorry does not know the keys.
    cache = {"cache_path": CACHE_PATH} if has_cache else {}
    continued = {"continues_from": job.continues_from} if job.continues_from else {}
    return (
        cache
        | continued
        | {
            "v": 1,
            "job_id": job.id,
            "attempt": job.attempt,
            "name": job.name or f"{job.type}-{job.id[:8]}",
            "type": str(job.type),
            "dataset_path": DATASET_PATH,
            "base_model": model.id,
            "base_model_path": f"{MODELS_PATH}/{model.folder}",
            "base_model_revision": model.revision,
            "output_path": OUTPUT_PATH,
            "device": _device(job),
            "trigger_words": list(job.trigger_words),
            "resume_from": job.resume_from,
            "training_params": applied(job.training_config, job.memory_profile).as_params(),
            "lineage": lineage,
        }
    )


def _device(job: Job) -> str:
    return "cpu" if all(is_cpu(device) for device in job.gpu_ids) else "cuda"
