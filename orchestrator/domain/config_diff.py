"""What two jobs have different, setting by setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.job import Job
from orchestrator.domain.lineage import Lineage


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of two jobs; None where it is not known, or not there."""

    field: str
    before: Any
    after: Any


def facts_of(job: Job, lineage: Lineage | None) -> dict[str, Any]:
    """Everything that a job's result depends on. What only a launch settles is left out before the first one."""
    asked: dict[str, Any] = {
        "type": str(job.type),
        "base_model": job.base_model,
        "dataset_id": job.dataset_id,
        "dataset_sha256": job.dataset_sha256,
        "trigger_words": list(job.trigger_words),
        "gpus": job.gpus,
        "max_runtime_seconds": job.max_runtime_seconds,
    }
    config = {f"config.{name}": value for name, value in job.config.as_params().items()}
    if lineage is None:
        return asked | config
    settled = {
        "base_model_revision": lineage.base_model_revision,
        "image_digest": lineage.image_digest,
        "memory_profile": str(lineage.memory_profile),
    }
    return asked | settled | config


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The facts that both have and that are not equal, and those that only one has; in the order of `before`."""
    fields = [*before, *(field for field in after if field not in before)]
    pairs = [Difference(field, before.get(field), after.get(field)) for field in fields]
    return [pair for pair in pairs if pair.before != pair.after]
