"""The base models users may choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.model import CatalogueEntry
from orchestrator.ports.model_store import ModelStore


@dataclass(frozen=True, slots=True)
class ModelView:
    entry: CatalogueEntry
    is_ready: bool


class Models:
    def __init__(self, *, store: ModelStore) -> None:
        self._store = store

    def catalogue(self) -> Sequence[ModelView]:
        return [ModelView(entry, self._store.is_ready(entry)) for entry in self._store.catalogue()]
