"""What an adapter was made from, as flat strings that also go into the file's metadata."""

from __future__ import annotations

import hashlib
import json

from orchestrator.domain.job import Job
from orchestrator.domain.model import CatalogueEntry


def lineage_of(job: Job, dataset_sha256: str, model: CatalogueEntry, *, image_digest: str) -> dict[str, str]:
    """The chain dataset -> base model -> image -> config. No paths, no captions, no user names."""
    return {
        "lorry.job_id": job.id,
        "lorry.attempt": str(job.attempt),
        "lorry.dataset_id": job.dataset_id,
        "lorry.dataset_sha256": dataset_sha256,
        "lorry.base_model": model.id,
        "lorry.base_model_revision": model.revision,
        "lorry.image_digest": image_digest,
        "lorry.config_sha256": config_digest(job),
        "lorry.memory_profile": job.memory_profile,
    }


def config_digest(job: Job) -> str:
    """sha256 over type, settings and trigger words: equal requests have equal digests."""
    facts = {"type": job.type, "config": job.config.as_params(), "trigger_words": list(job.trigger_words)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
