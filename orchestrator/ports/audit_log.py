"""The record of what administrators and operators did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.domain.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditPage:
    entries: tuple[AuditEntry, ...]
    total: int  # over all pages


class AuditLog(Protocol):
    """Errors of every method: StoreUnavailable. An act on a row is recorded by that row's store, in one transaction."""

    def add(self, entry: AuditEntry) -> None:
        """Record an act that changes no row of the store."""

    def list(self, *, page: int = 1, page_size: int = 50) -> AuditPage:
        """Newest first. `page` counts from 1."""
