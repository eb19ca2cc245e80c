"""How far one try of a download has got, told to the store now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.download import Download
from orchestrator.domain.model import ModelSnapshot
from orchestrator.ports.clock import Clock
from orchestrator.ports.download_store import DownloadStore

NOTE_EVERY = timedelta(seconds=1)


class Interrupted(Exception):
    """This process stops, or leads no more; whoever leads next goes on from what is there."""


class DownloadProgress:
    def __init__(self, store: DownloadStore, download: Download, *, clock: Clock, is_over: Callable[[], bool]) -> None:
        self.download = download
        self._store = store
        self._clock = clock
        self._is_over = is_over
        self._bytes_before = download.bytes_downloaded
        self._whole_files_bytes = 0
        self._noted_at = clock.now()

    @property
    def has_brought_bytes(self) -> bool:
        """More than an earlier try."""
        return self.download.bytes_downloaded > self._bytes_before

    def begin(self, snapshot: ModelSnapshot) -> None:
        self.download = replace(self.download, revision=snapshot.revision, total_bytes=snapshot.size_bytes)
        self._store.save(self.download)

    def of_file(self, size_bytes: int) -> Callable[[int], None]:
        """For the next file: what to call with how many of its bytes there are. Raises Interrupted."""
        bytes_before = self._whole_files_bytes
        self._whole_files_bytes += size_bytes

        def note(present_bytes: int) -> None:
            if self._is_over():
                raise Interrupted
            self.download = self.download.advanced(bytes_before + present_bytes)
            now = self._clock.now()
            if now - self._noted_at >= NOTE_EVERY:
                self._store.save(self.download)
                self._noted_at = now

        return note
