"""The download of a model, in the contract's words."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from orchestrator.services.models import ModelView


class DownloadBody(BaseModel, extra="forbid"):
    modelId: str = Field(  # noqa: N815 - the contract's name
        description="Of the catalogue.", max_length=200
    )


class DownloadOut(BaseModel):
    modelId: str  # noqa: N815 - the contract's name
    status: Literal["downloading", "done", "error"] = Field(examples=["downloading"])
    progress: int = Field(ge=0, le=100, description="Percent of the bytes; 100 only when it is done.", examples=[41])
    bytesDownloaded: int  # noqa: N815 - the contract's name
    totalBytes: int | None = Field(description="None until the hub has said it.")  # noqa: N815 - the contract's name
    message: str | None = Field(description="What went wrong, or why it is tried again.", examples=[None])

    @classmethod
    def from_domain(cls, view: ModelView) -> DownloadOut:
        download = view.download
        size_bytes = view.fetched.size_bytes if view.fetched else None
        if view.status == "done":
            present = size_bytes or 0
            return cls._of(view, progress=100, present=present, total=size_bytes, message=None)
        if download is None:
            return cls._of(view, progress=0, present=0, total=None, message="It was never asked for.")
        return cls._of(
            view,
            progress=download.percent,
            present=download.bytes_downloaded,
            total=download.total_bytes,
            message=download.message,
        )

    @classmethod
    def _of(
        cls, view: ModelView, *, progress: int, present: int, total: int | None, message: str | None
    ) -> DownloadOut:
        return cls(
            modelId=view.entry.id,
            status=view.status.value,
            progress=progress,
            bytesDownloaded=present,
            totalBytes=total,
            message=message,
        )
