"""Datasets and base models, in the shape all assets share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.words import WORDS
from orchestrator.domain.dataset import Dataset
from orchestrator.domain.download import DownloadStatus
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
    status: Literal["ready", "downloading", "error"] = Field(examples=["ready"])
    source: Literal["HuggingFace", "local", "training"]
    downloadedAt: datetime | None  # noqa: N815 - the contract's name


class DatasetOut(Asset):
    id: str = Field(examples=[WORDS["dataset_id"]])
    kind: Literal["dataset"]
    status: Literal["ready"]
    source: Literal["local"]
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


_MODEL_STATUSES: Mapping[DownloadStatus, Literal["ready", "downloading", "error"]] = {
    DownloadStatus.DONE: "ready",
    DownloadStatus.DOWNLOADING: "downloading",
    DownloadStatus.ERROR: "error",
}


class ModelOut(Asset):
    """`status` is `error` also for a model that is not here and was never asked for; `ready` and `fetchable` tell."""

    id: str = Field(examples=[WORDS["base_model"]])
    name: str = Field(examples=["stable-diffusion-xl-base-1.0"])
    kind: Literal["model"]
    size: str | None = Field(description="For people.", examples=["12.9 GiB"])
    size_bytes: int | None = Field(examples=[13900000000])
    ready: bool = Field(description="A job that asks for it has nothing to wait for.", examples=[True])
    fetchable: bool = Field(
        description="It is fetched when a job asks for it, or `/models/download/start`.", examples=[True]
    )
    progress: int | None = Field(description="Percent, while it is downloading.", examples=[None])
    message: str | None = Field(description="What went wrong with its download.", examples=[None])
    family: str = Field(examples=["sdxl"])
    revision: str = Field(description="The commit that is here; else what the catalogue asks for.")
    licence: str = Field(examples=["CreativeML-OpenRAIL++-M"])
    gated: bool = Field(description="Its hub gives it only to those who accepted its terms.", examples=[False])
    memory: str | None = Field(description="For people.", examples=["6.6 GiB"])
    memory_bytes: int | None = Field(description="Of a GPU, for its weights; activations come on top.")
    description: str = Field(examples=["Stable Diffusion XL 1.0. Made for pictures of 1024 pixels."])

    @classmethod
    def from_domain(cls, view: ModelView) -> ModelOut:
        entry, download, fetched = view.entry, view.download, view.fetched
        is_downloading = view.status is DownloadStatus.DOWNLOADING
        size_bytes = fetched.size_bytes if fetched else entry.size_bytes
        return cls(
            id=entry.id,
            name=entry.id.rpartition("/")[2],
            kind="model",
            size=readable_size(size_bytes) if size_bytes is not None else None,
            size_bytes=size_bytes,
            status=_MODEL_STATUSES[view.status],
            source="HuggingFace" if entry.is_fetchable else "local",
            downloadedAt=fetched.fetched_at if fetched else None,
            ready=view.is_usable,
            fetchable=entry.is_fetchable,
            progress=download.percent if download and is_downloading else None,
            message=download.message if download and not view.is_usable else None,
            family=entry.family,
            revision=fetched.revision if fetched else entry.revision,
            licence=entry.licence,
            gated=entry.is_gated,
            memory=readable_size(entry.memory_bytes) if entry.memory_bytes is not None else None,
            memory_bytes=entry.memory_bytes,
            description=entry.description,
        )


def readable_size(size_bytes: int) -> str:
    if size_bytes < _KIB:
        return f"{size_bytes} B"
    exponent = min(int(math.log(size_bytes, _KIB)), len(_UNITS))
    return f"{size_bytes / _KIB**exponent:.1f} {_UNITS[exponent - 1]}"
