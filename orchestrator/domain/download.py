"""Fetching a base model from its hub: what one download is, how it goes on, and how it ends. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain.back_off import BackOff

BACK_OFF = BackOff(first_seconds=5.0, longest_seconds=300.0)
# Tries in a row that brought nothing: about a quarter of an hour of a hub that does not answer.
MAX_FAILURES = 8


class DownloadStatus(StrEnum):
    """The words of the public contract."""

    DOWNLOADING = "downloading"  # asked for; also while it waits for its next try
    DONE = "done"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """The one download of a model, whoever waits for it."""

    model_id: str
    status: DownloadStatus
    requested_at: datetime
    revision: str | None = None  # the commit, once the hub has said which
    bytes_downloaded: int = 0
    total_bytes: int | None = None
    message: str | None = None  # why the last try ended
    failures: int = 0  # tries in a row that brought nothing
    retry_at: datetime | None = None
    ended_at: datetime | None = None

    @classmethod
    def requested(cls, model_id: str, *, at: datetime) -> Download:
        return cls(model_id=model_id, status=DownloadStatus.DOWNLOADING, requested_at=at)

    @property
    def percent(self) -> int:
        """Of the bytes; 100 only when it is done, for there is something left to do after the last byte."""
        if self.status is DownloadStatus.DONE:
            return 100
        return min(99, 100 * self.bytes_downloaded // self.total_bytes) if self.total_bytes else 0

    def is_due(self, now: datetime) -> bool:
        return self.status is DownloadStatus.DOWNLOADING and (self.retry_at is None or self.retry_at <= now)

    def advanced(self, bytes_downloaded: int) -> Download:
        return replace(self, bytes_downloaded=bytes_downloaded)

    def failed(self, message: str, *, at: datetime, is_transient: bool, brought_bytes: bool) -> Download:
        """Put off when another try may help, ended with an error when not."""
        failures = 1 if brought_bytes else self.failures + 1
        if not is_transient or failures >= MAX_FAILURES:
            return replace(
                self, status=DownloadStatus.ERROR, message=message, failures=failures, retry_at=None, ended_at=at
            )
        pause = BACK_OFF.pause_seconds(failures - 1)
        return replace(self, message=message, failures=failures, retry_at=at + timedelta(seconds=pause))

    def done(self, *, at: datetime) -> Download:
        return replace(
            self,
            status=DownloadStatus.DONE,
            bytes_downloaded=self.total_bytes if self.total_bytes is not None else self.bytes_downloaded,
            message=None,
            failures=0,
            retry_at=None,
            ended_at=at,
        )


def waiting_reason(model_id: str, download: Download | None) -> str:
    """What holds a job whose model is not there yet, as the middle of a sentence."""
    if download is not None and download.status is DownloadStatus.ERROR:
        return f"the model {model_id} could not be fetched: {download.message}"
    reason = f"waits for the model {model_id}: {download.percent if download else 0} %"
    if download is None or download.retry_at is None:
        return reason
    return f"{reason}, tried again at {download.retry_at:%H:%M:%S} UTC after: {download.message}"
