"""Registered models: which adapter file is which version of which name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Job
from orchestrator.domain.registered_model import ModelVersion, RegisteredModel


@dataclass(frozen=True, slots=True)
class RegisteredModelPage:
    models: tuple[RegisteredModel, ...]
    total: int


class ModelRegistry(Protocol):
    """A job's own version is registered when it completes, by `JobStore.save`.

    Errors of every method: StoreUnavailable.
    """

    def reserve(self, job: Job, name: str, *, at: datetime) -> ModelVersion:
        """The job's version: the one it has, or the next of `name`. A number that was ever taken is not given again."""

    def promote(
        self,
        job: Job,
        file: Artifact,
        *,
        name: str | None,
        step: int,
        at: datetime,
        tell: Callable[[ModelVersion], JobEvent],
        audit: AuditEntry | None = None,
    ) -> tuple[ModelVersion, bool]:
        """Register a checkpoint's adapter file as the next version of `name`; None: of the name that the job's own
        version has. From then on the file counts as an adapter, and the job's history has what `tell` says.

        Also whether it is new: a file that is registered already stays the version that it is.
        """

    def promoted(self, job_id: str) -> Sequence[ModelVersion]:
        """The registered checkpoints of a job, earliest step first."""

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> RegisteredModelPage:
        """The user's models with a registered version, the newest first."""

    def versions(self, user_id: str, name: str) -> Sequence[ModelVersion]:
        """The registered ones, newest first; empty for an unknown name."""

    def rename(self, user_id: str, name: str, new_name: str) -> None:
        """With all versions, reserved and deleted ones too. Raises NotFound, and Conflict when `new_name` is taken."""

    def delete(self, user_id: str, name: str, *, version: int | None, at: datetime) -> None:
        """Forget one version, or all; the files stay with their jobs. Raises NotFound."""
