"""Which copies an object store is still to be given, which it has, and which it holds for nobody any more."""

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

    def settle(self, artifact_id: str, outcome: UploadOutcome, *, object_key: str | None, at: datetime) -> None:
        """It is pending no more. Safe to repeat. What was uploaded is remembered even when the artifact is gone."""

    def object_key(self, artifact_id: str) -> str | None:
        """Where its copy lies; None: there is none."""


@dataclass(frozen=True, slots=True)
class LeftCopy:
    """Objects of something that Lorry no longer has."""

    id: str  # of the artifact or dataset that is gone
    object_keys: tuple[str, ...]


class CopyStore(Protocol):
    """What lies in one bucket. Errors of every method: StoreUnavailable."""

    def left_over(self, *, now: datetime, limit: int) -> Sequence[LeftCopy]:
        """Copies whose original is gone, in order of their ids."""

    def forget(self, ids: Sequence[str]) -> None:
        """Their objects are gone too. Safe to repeat."""


class DatasetCopyStore(CopyStore, Protocol):
    def begin(self, dataset_id: str, object_keys: Sequence[str], *, at: datetime) -> None:
        """Remember what is about to be copied, before it is: a copy that is cut off is found and removed.

        Beside what was remembered of the dataset before.
        """
