"""Models that were fetched, on disk: from the first bytes to their removal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.model import CatalogueEntry, ModelSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedModel:
    revision: str  # the commit
    size_bytes: int
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class SpareFolder:
    """Something in the model cache that nobody needs."""

    name: str
    size_bytes: int


class ModelFiles(Protocol):
    """Raises PortError when the disk says no."""

    def fetched(self, entry: CatalogueEntry) -> FetchedModel | None:
        """What is in place; None for a model that is not, or that somebody put there by hand."""

    def staging(self, entry: CatalogueEntry, *, revision: str) -> str:
        """Absolute path of the folder where this revision gathers, with what earlier tries brought."""

    def staged_bytes(self, entry: CatalogueEntry, *, revision: str) -> int: ...

    def install(self, entry: CatalogueEntry, snapshot: ModelSnapshot, *, at: datetime) -> None:
        """Put what was staged into place at once, instead of what was there."""

    def verify(self, entry: CatalogueEntry) -> Sequence[str]:
        """Read every file that was fetched; sentences about those that are no longer what the hub promised."""

    def spare(self, catalogue: Sequence[CatalogueEntry], *, under_way: Collection[str]) -> Sequence[SpareFolder]:
        """Models that were fetched and are in the catalogue no more, and what is left of downloads but for those
        under way; in order of their names. What somebody put there by hand is none of them."""

    def remove(self, name: str) -> None:
        """Take a folder out of the cache at once. Safe to repeat."""
