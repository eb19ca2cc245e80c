"""Samples that nobody has looked at yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.domain.artifact import Artifact


class SampleStore(Protocol):
    """Errors of every method: StoreUnavailable when the database does not answer."""

    def unseen(self, limit: int) -> Sequence[Artifact]:
        """Samples of which it is not known whether they can be shown, oldest first."""

    def note(self, findings: Mapping[str, bool]) -> None:
        """Whether each can be shown, by its id; one that is gone by now is left out."""
