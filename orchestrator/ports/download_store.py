"""The downloads of models, one row a model: whoever wants it waits for the same one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.domain.download import Download


class DownloadStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def get(self, model_id: str) -> Download | None: ...

    def list(self) -> Sequence[Download]:
        """In order of their models' ids."""

    def request(self, model_id: str, *, at: datetime) -> Download:
        """The download that is under way, or a new one in place of the last that ended."""

    def save(self, download: Download) -> None:
        """Nothing happens when it was forgotten meanwhile."""

    def forget(self, model_id: str) -> None:
        """Safe to repeat."""

    def wanted_models(self) -> frozenset[str]:
        """Base models that queued jobs wait for."""
