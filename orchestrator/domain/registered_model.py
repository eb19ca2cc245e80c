"""Adapter files by name and version, as their users speak of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.dataset import without_control
from orchestrator.domain.errors import Rejected, Violation
from orchestrator.domain.job import Job

MAX_MODEL_NAME_LENGTH = 100
_NO_PART_OF_A_PATH = str.maketrans({"/": "-", "\\": "-"})
_ONLY_A_PATH = frozenset({".", ".."})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One version of a registered model. Its number is its job's from the first launch on, and never another's.

    Without `registered_at` the job has not completed; without `job_id` it was deleted. With a `step` it is not what the
    job ended with but its checkpoint of that step.
    """

    id: str
    user_id: str
    name: str
    version: int
    base_model: str
    created_at: datetime
    trigger_words: tuple[str, ...] = ()
    job_id: str | None = None
    step: int | None = None
    artifact_id: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    registered_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A name, its newest version, and how many there are."""

    name: str
    latest: ModelVersion
    version_count: int


def model_name_of(job: Job) -> str:
    """What a job's adapter is registered as: the job's name, else its trigger words, else its type and id."""
    for wish in (job.name, " ".join(job.trigger_words)):
        name = clean_model_name(wish or "")
        if name:
            return name
    return f"{job.type}-{job.id[:8]}"


def clean_model_name(wish: str) -> str:
    """`wish` as a name that is one part of a path; "" when nothing is left of it."""
    name = " ".join(without_control(wish.translate(_NO_PART_OF_A_PATH)).split())[:MAX_MODEL_NAME_LENGTH].strip()
    return "" if name in _ONLY_A_PATH else name


def require_model_name(wish: str) -> str:
    """A name that a user chose. Raises Rejected (MODEL_NAME_INVALID) for one that would not stay as it is."""
    if not wish or clean_model_name(wish) != wish:
        message = (
            f"A model's name has 1 to {MAX_MODEL_NAME_LENGTH} characters, none of them a slash, a backslash or a "
            "control character, and no space at its ends or twice in a row."
        )
        raise Rejected(message, code="MODEL_NAME_INVALID", details=[Violation("name", message, wish)])
    return wish
