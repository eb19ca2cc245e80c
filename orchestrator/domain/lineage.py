"""What an adapter was made from, as flat strings that also go into the file's metadata."""

from __future__ import annotations

import hashlib
import json

from orchestrator.domain.dataset import DatasetVersion
from orchestrator.domain.job import Job
from orchestrator.domain.model import CatalogueEntry

# As many as one entry of the metadata holds (4096 characters); the version's hash covers any number.
MAX_LISTED_ITEMS = 40


def lineage_of(job: Job, version: DatasetVersion, model: CatalogueEntry, *, image_digest: str) -> dict[str, str]:
    """The chain dataset -> items -> base model -> image -> config. No paths, no captions, no user names."""
    items = [f"{item.id} {item.sha256}" for item in version.items]
    listed = {"lorry.dataset_items": "\n".join(items)} if len(items) <= MAX_LISTED_ITEMS else {}
    return {
        "lorry.job_id": job.id,
        "lorry.attempt": str(job.attempt),
        "lorry.dataset_id": job.dataset_id,
        "lorry.dataset_sha256": version.sha256,
        "lorry.dataset_item_count": str(len(items)),
        "lorry.base_model": model.id,
        "lorry.base_model_revision": model.revision,
        "lorry.image_digest": image_digest,
        "lorry.config_sha256": config_digest(job),
        "lorry.memory_profile": job.memory_profile,
    } | listed


def config_digest(job: Job) -> str:
    """sha256 over type, settings and trigger words: equal requests have equal digests."""
    facts = {"type": job.type, "config": job.config.as_params(), "trigger_words": list(job.trigger_words)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
