"""What administrators decide, and the last look at the containers. Every decision is stored with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.domain.administration import ContainerSample, Maintenance
from orchestrator.domain.audit import AuditEntry


class ControlStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def maintenance(self) -> Maintenance | None: ...

    def begin_maintenance(self, maintenance: Maintenance, audit: AuditEntry) -> None:
        """One that goes on already gets the newer reason."""

    def end_maintenance(self, audit: AuditEntry) -> None:
        """Safe to repeat; only the first is on record."""

    def limits(self) -> Mapping[str, int]:
        """Active jobs that users may have, where it is not the installation's limit."""

    def set_limit(self, user_id: str, max_active_jobs: int | None, audit: AuditEntry, *, at: datetime) -> None:
        """None: the installation's limit again."""

    def set_priority(self, job_id: str, priority: int, audit: AuditEntry) -> None:
        """Raises Conflict (JOB_NOT_QUEUED) for a job that does not wait. How long it has waited stays as it is."""

    def clear_suspect(self, device: str, audit: AuditEntry) -> None:
        """Raises NotFound (DEVICE_NOT_FOUND) for a device that is not suspect."""


class ContainerStore(Protocol):
    """Errors of every method: StoreUnavailable; of `replace` Deposed too."""

    def replace(self, samples: Sequence[ContainerSample]) -> None:
        """These are all the containers there are."""

    def list(self) -> Sequence[ContainerSample]:
        """Oldest first."""

    def get(self, container_id: str) -> ContainerSample:
        """Raises NotFound (CONTAINER_NOT_FOUND)."""
