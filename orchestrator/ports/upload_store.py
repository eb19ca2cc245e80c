"""Which artifacts are still to be copied to an object store, and that store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from orchestrator.domain.artifact import Artifact


@dataclass(frozen=True, slots=True)
class PendingUpload:
    artifact: Artifact
    user_id: str  # who owns its job


class UploadOutcome(StrEnum):
    UPLOADED = "uploaded"
    NO_FOLDER = "no_folder"  # its user is known to Lorry alone
    FILE_GONE = "file_gone"  # retention, or a person, was quicker


class UploadStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def pending(self, *, after_id: str, limit: int) -> Sequence[PendingUpload]:
        """Adapters, samples and documents of completed jobs that are not settled, in order of their ids."""

    def settle(self, artifact_id: str, outcome: UploadOutcome, *, at: datetime) -> None:
        """It is pending no more. Safe to repeat; forgotten when the artifact is gone."""


class ObjectStore(Protocol):
    def put(self, key: str, path: str) -> None:
        """Store the file at `path`, which stays; what was under the key is replaced. Safe to repeat.

        Raises StoreUnavailable when trying again can help, Rejected when the store will not have this file.
        """
