"""Datasets and base models, in the shape all assets share."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from orchestrator.domain.dataset import Dataset
from orchestrator.domain.model import ModelSource
from orchestrator.services.models import ModelView

_KIB = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB")


class Asset(BaseModel):
    """What every asset says of itself."""

    id: str
    name: str
    kind: Literal["model", "dataset", "checkpoint"]
    size: str | None = Field(description="For people.", examples=["12.3 MiB"])
    size_bytes: int | None
    status: Literal["ready", "downloading", "error"]
    source: Literal["HuggingFace", "local", "training"]
    downloadedAt: datetime | None  # noqa: N815 - the contract's name


class DatasetOut(Asset):
    item_count: int
    captioned_count: int
    sha256: str = Field(description="Over pictures and captions: equal content has equal hashes.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_domain(cls, dataset: Dataset) -> DatasetOut:
        return cls(
            id=dataset.id,
            name=dataset.name,
            kind="dataset",
            size=readable_size(dataset.size_bytes),
            size_bytes=dataset.size_bytes,
            status="ready",
            source="local",
            downloadedAt=dataset.created_at,
            item_count=dataset.item_count,
            captioned_count=dataset.captioned_count,
            sha256=dataset.sha256,
            created_at=dataset.created_at,
            updated_at=dataset.updated_at,
        )


class ModelOut(Asset):
    family: str
    revision: str
    licence: str
    description: str

    @classmethod
    def from_domain(cls, view: ModelView) -> ModelOut:
        entry = view.entry
        # A built-in model is made on its first use, so it can be asked for at any time.
        is_usable = view.is_ready or entry.source is ModelSource.BUILTIN
        return cls(
            id=entry.id,
            name=entry.id.rpartition("/")[2],
            kind="model",
            size=None,
            size_bytes=None,
            status="ready" if is_usable else "error",
            source="local",
            downloadedAt=None,
            family=entry.family,
            revision=entry.revision,
            licence=entry.licence,
            description=entry.description,
        )


def readable_size(size_bytes: int) -> str:
    if size_bytes < _KIB:
        return f"{size_bytes} B"
    exponent = min(int(math.log(size_bytes, _KIB)), len(_UNITS))
    return f"{size_bytes / _KIB**exponent:.1f} {_UNITS[exponent - 1]}"
