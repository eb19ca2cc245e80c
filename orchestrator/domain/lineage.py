"""What an adapter was made from: kept with its job, and as flat strings in the file's metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from orchestrator.domain.dataset import DatasetVersion
from orchestrator.domain.job import Job
from orchestrator.domain.memory import MemoryProfile
from orchestrator.domain.model import CatalogueEntry
from orchestrator.domain.registered_model import ModelVersion
from orchestrator.domain.training import TrainingType

# As many as one entry of the metadata holds (4096 characters); the version's hash covers any number.
MAX_LISTED_ITEMS = 40


class LineageItem(NamedTuple):
    """A picture that was trained on."""

    id: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The chain dataset -> items -> caption template -> base model -> image -> config -> adapter, of one attempt.

    No paths, no captions, no user names.
    """

    job_id: str
    attempt: int
    dataset_id: str
    dataset_sha256: str
    items: tuple[LineageItem, ...]
    caption_template: str
    base_model: str
    base_model_revision: str
    image_digest: str
    config_sha256: str
    memory_profile: MemoryProfile
    model_name: str
    model_version: int
    recorded_at: datetime
    continues: str | None = None  # the job that this one goes on from, and the name of that one's checkpoint
    continues_from: str | None = None
    adapter_sha256: str | None = None  # None until the adapter is verified


def lineage_of(
    job: Job,
    version: DatasetVersion,
    base_model: CatalogueEntry,
    registered: ModelVersion,
    *,
    image_digest: str,
    at: datetime,
) -> Lineage:
    return Lineage(
        job_id=job.id,
        attempt=job.attempt,
        dataset_id=job.dataset_id,
        dataset_sha256=version.sha256,
        items=tuple(LineageItem(item.id, item.sha256) for item in version.items),
        caption_template=caption_template(job.type, job.trigger_words),
        base_model=base_model.id,
        base_model_revision=base_model.revision,
        image_digest=image_digest,
        config_sha256=config_digest(job),
        memory_profile=job.memory_profile,
        model_name=registered.name,
        model_version=registered.version,
        recorded_at=at,
        continues=job.continues,
        continues_from=job.continues_from,
    )


def as_metadata(lineage: Lineage) -> dict[str, str]:
    """The entries of the adapter file's metadata. Its own hash cannot stand in it."""
    listed = "\n".join(f"{item.id} {item.sha256}" for item in lineage.items)
    items = {"lorry.dataset_items": listed} if len(lineage.items) <= MAX_LISTED_ITEMS else {}
    if lineage.continues and lineage.continues_from:
        items |= {"lorry.continues": lineage.continues, "lorry.continues_from": lineage.continues_from}
    return {
        "lorry.job_id": lineage.job_id,
        "lorry.attempt": str(lineage.attempt),
        "lorry.dataset_id": lineage.dataset_id,
        "lorry.dataset_sha256": lineage.dataset_sha256,
        "lorry.dataset_item_count": str(len(lineage.items)),
        "lorry.caption_template": lineage.caption_template,
        "lorry.base_model": lineage.base_model,
        "lorry.base_model_revision": lineage.base_model_revision,
        "lorry.image_digest": lineage.image_digest,
        "lorry.config_sha256": lineage.config_sha256,
        "lorry.memory_profile": lineage.memory_profile,
        "lorry.model_name": lineage.model_name,
        "lorry.model_version": str(lineage.model_version),
    } | items


def caption_template(training_type: TrainingType, trigger_words: Sequence[str]) -> str:
    """How the trainer makes a prompt of a caption; `[trigger]` in a caption stands for the trigger words."""
    words = ", ".join(trigger_words)
    if training_type is TrainingType.DREAMBOOTH:
        return f"a photo of {words}"
    return f"{words}, {{caption}}" if words else "{caption}"


def config_digest(job: Job) -> str:
    """sha256 over type, settings and trigger words: equal requests have equal digests."""
    facts = {"type": job.type, "config": job.config.as_params(), "trigger_words": list(job.trigger_words)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
