"""Fetching models beside the passes: each once, whoever waits for it, and every download comes to an end."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from orchestrator.domain.download import Download, DownloadStatus
from orchestrator.domain.errors import Deposed, HubRefused, PortError, StaleJob, StoreUnavailable
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.model import CatalogueEntry, ModelSnapshot
from orchestrator.ports.clock import Clock
from orchestrator.ports.disk import Disk
from orchestrator.ports.download_store import DownloadStore
from orchestrator.ports.job_store import JobFilter, JobStore
from orchestrator.ports.model_files import ModelFiles
from orchestrator.ports.model_hub import ModelHub
from orchestrator.ports.model_store import ModelStore
from orchestrator.ports.steps import Steps
from orchestrator.ports.wake_up import WakeUp
from orchestrator.services.download_progress import DownloadProgress, Interrupted
from orchestrator.services.rounds import run_rounds

log = structlog.get_logger()

ROUND_SECONDS = 1.0
# After a store that was away.
PUT_OFF_SECONDS = 5.0
_GIB = 1024**3


class ModelDownloads:
    """Several models at a time, each in a step of its own."""

    def __init__(
        self,
        *,
        store: DownloadStore,
        jobs: JobStore,
        models: ModelStore,
        files: ModelFiles,
        hub: ModelHub,
        disk: Disk,
        steps: Steps,
        wake_up: WakeUp,
        clock: Clock,
        min_free_bytes: int,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._models = models
        self._files = files
        self._hub = hub
        self._disk = disk
        self._steps = steps
        self._wake_up = wake_up
        self._clock = clock
        self._min_free_bytes = min_free_bytes

    def run_until(self, stop: threading.Event, is_leading: Callable[[], bool]) -> None:
        """Round after round while this process leads, in a thread of its own."""

        def is_over() -> bool:
            return stop.is_set() or not is_leading()

        run_rounds(lambda: self._round(is_over), stop=stop, is_leading=is_leading, idle_seconds=ROUND_SECONDS)

    def advance(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Look at every model that is not here once: begin, put off, give up. Raises StoreUnavailable, Deposed."""
        self._steps.settle()
        downloads = {each.model_id: each for each in self._store.list()}
        fetchable = [entry for entry in self._models.catalogue() if entry.is_fetchable]
        missing = [entry for entry in fetchable if not self._models.is_ready(entry)]
        wanted = self._store.wanted_models() if missing else frozenset()
        for entry in fetchable:
            download = downloads.get(entry.id)
            if self._steps.is_busy(entry.id):
                continue
            if entry in missing:
                self._advance(entry, download, is_over, is_wanted=entry.id in wanted)
            elif download is not None and download.status is not DownloadStatus.DONE:
                self._end(download.done(at=self._clock.now()))  # cut off after the last step, or put there by hand

    def _round(self, is_over: Callable[[], bool]) -> float:
        """Seconds until the next one."""
        try:
            self.advance(is_over)
        except (StoreUnavailable, Deposed) as error:
            log.warning("model downloads put off", error=error.message)
            return PUT_OFF_SECONDS
        return ROUND_SECONDS

    def _advance(
        self, entry: CatalogueEntry, download: Download | None, is_over: Callable[[], bool], *, is_wanted: bool
    ) -> None:
        if download is None or download.status is DownloadStatus.DONE:  # its folder has gone since
            if is_wanted:
                self._store.request(entry.id, at=self._clock.now())
        elif download.status is DownloadStatus.ERROR:
            if is_wanted:
                self._end_waiting_jobs(entry, download)
        elif download.is_due(self._clock.now()) and not self._is_in_use(entry):
            self._steps.begin(entry.id, lambda: self._try(entry, download, is_over))

    def _is_in_use(self, entry: CatalogueEntry) -> bool:
        """By jobs that began on another revision, whose files would be taken from under them."""
        return any(job.base_model == entry.id for job, _ in self._jobs.active())

    def _try(self, entry: CatalogueEntry, download: Download, is_over: Callable[[], bool]) -> None:
        progress = DownloadProgress(self._store, download, clock=self._clock, is_over=is_over)
        try:
            snapshot = self._hub.look_up(entry, revision=_revision(entry, download))
            self._require_room(entry, snapshot)
            progress.begin(snapshot)
            folder = self._files.staging(entry, revision=snapshot.revision)
            for file in snapshot.files:
                self._hub.fetch(
                    entry, file, revision=snapshot.revision, folder=folder, note=progress.of_file(file.size_bytes)
                )
            self._files.install(entry, snapshot, at=self._clock.now())
        except Interrupted:
            return
        except (StoreUnavailable, Deposed):
            raise
        except PortError as error:
            self._fail(progress, error.message, is_transient=error.transient)
        except Exception:
            log.exception("a model download failed", model=entry.id)
            self._fail(progress, "It failed for a reason that only the server's log tells.", is_transient=True)
        else:
            log.info("model fetched", model=entry.id, revision=snapshot.revision, size_bytes=snapshot.size_bytes)
            self._end(progress.download.done(at=self._clock.now()))

    def _require_room(self, entry: CatalogueEntry, snapshot: ModelSnapshot) -> None:
        present = self._files.staged_bytes(entry, revision=snapshot.revision)
        needed = max(0, snapshot.size_bytes - present) + self._min_free_bytes
        free = self._disk.free_bytes()
        if free < needed:
            raise HubRefused(
                f"{entry.id} needs {needed / _GIB:.1f} GiB of disk, the reserve included, and {free / _GIB:.1f} GiB "
                "are free. Free some space and ask for it again."
            )

    def _fail(self, progress: DownloadProgress, message: str, *, is_transient: bool) -> None:
        failed = progress.download.failed(
            message, at=self._clock.now(), is_transient=is_transient, brought_bytes=progress.has_brought_bytes
        )
        log.warning("model not fetched", model=failed.model_id, error=message, status=failed.status)
        self._end(failed)

    def _end(self, download: Download) -> None:
        self._store.save(download)
        self._wake_up.notify()  # its jobs may start now

    def _end_waiting_jobs(self, entry: CatalogueEntry, download: Download) -> None:
        waiting = JobFilter(statuses=(JobStatus.QUEUED,), base_model=entry.id)
        message = f"Base model {entry.id} could not be fetched. {download.message}"
        for job in self._jobs.list(waiting, page_size=100).jobs:
            ended = job.ended(EndReason.BASE_MODEL_UNAVAILABLE, at=self._clock.now(), message=message)
            try:
                self._jobs.save(ended, events=[status_event(job, ended, message, reason=ended.end_reason)])
            except StaleJob:
                log.info("looked again later", job_id=job.id)


def _revision(entry: CatalogueEntry, download: Download) -> str:
    """The commit that this download began with, so that a branch which moves does not begin it anew."""
    return entry.revision if entry.is_pinned else download.revision or entry.revision
