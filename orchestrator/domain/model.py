"""Base models an installation offers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ModelSource(StrEnum):
    BUILTIN = "builtin"  # made by the training image itself, offline
    LOCAL = "local"  # a folder somebody put into the model cache


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One line of configs/models.yaml."""

    id: str  # namespace/name
    family: str
    source: ModelSource
    revision: str
    licence: str
    description: str

    @property
    def folder(self) -> str:
        """Name of the model's folder inside the cache."""
        return self.id.replace("/", "--")
