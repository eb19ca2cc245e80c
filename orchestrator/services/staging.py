"""Fetching pictures that lie in an object store and not on this disk, before a job that trains on them takes a slot.

A job whose pictures are away is held in the queue, with the reason that it waits, and gives its turn to the others.
What is fetched stays: a later job on the same pictures, in whatever version of the dataset, finds them here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from orchestrator.domain.dataset import DatasetItem
from orchestrator.domain.errors import Deposed, NotFound, Rejected, StaleJob, StoreUnavailable
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import ENDINGS, EndReason, JobStatus
from orchestrator.domain.storage import picture_key, user_folder
from orchestrator.ports.clock import Clock
from orchestrator.ports.dataset_store import DatasetFiles, DatasetStore, VersionStore
from orchestrator.ports.disk import Disk
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.object_store import ObjectStore
from orchestrator.ports.steps import Steps
from orchestrator.ports.wake_up import WakeUp

log = structlog.get_logger()

PICTURES_AT_ONCE = 4
# Who watches a job's row sees each change of the reason.
REPORT_EVERY = timedelta(seconds=2)
TRY_AGAIN_AFTER = timedelta(seconds=30)
FETCHING = "its pictures are being fetched from Storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingLimits:
    max_bytes: int  # of one dataset
    min_free_bytes: int  # that stay free on the disk


class _NoLongerQueued(Exception):
    """Somebody cancelled the job: nothing more need be fetched for it."""


class _Later(Exception):
    """The job waits on, for this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Staging:
    """`objects` None: all pictures are on this disk, and nothing is ever held."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        datasets: DatasetStore,
        versions: VersionStore,
        files: DatasetFiles,
        objects: ObjectStore | None,
        disk: Disk,
        steps: Steps,
        wake_up: WakeUp,
        clock: Clock,
        limits: StagingLimits,
    ) -> None:
        self._jobs = jobs
        self._datasets = datasets
        self._versions = versions
        self._files = files
        self._objects = objects
        self._disk = disk
        self._steps = steps
        self._wake_up = wake_up
        self._clock = clock
        self._limits = limits
        self._put_off_until: dict[str, datetime] = {}
        self._at_work: set[str] = set()  # datasets
        self._choosing = threading.Lock()

    def is_ready(self, job: Job) -> bool:
        """Whether a job that may start has its pictures here; if not, it is held, and they are fetched."""
        if self._objects is None or not self._missing(job):
            return True
        self._jobs.hold(job.id, FETCHING)
        return False

    def resume(self, held: Sequence[str]) -> None:
        """Go on with these jobs, which are held, beside the pass. Raises what a step raised: StoreUnavailable,
        Deposed."""
        self._steps.settle()
        for job_id in self._put_off_until.keys() - set(held):
            del self._put_off_until[job_id]
        now = self._clock.now()
        for job_id in held:
            if not self._steps.is_busy(job_id) and self._put_off_until.get(job_id, now) <= now:
                self._steps.begin(job_id, partial(self._guarded, job_id))

    def _guarded(self, job_id: str) -> None:
        """The per-job guard of a step: what goes wrong with one job's pictures never stops the passes."""
        try:
            self._stage(job_id)
        except (StoreUnavailable, Deposed):
            raise  # not this job's affair
        except Exception:
            log.exception("fetching pictures failed", job_id=job_id)
            self._put_off_until[job_id] = self._clock.now() + TRY_AGAIN_AFTER

    def _stage(self, job_id: str) -> None:
        """Let a held job go once its pictures are here, say why it must wait on, or end it where they never will be."""
        job = self._jobs.get(job_id)
        with self._only_one_of(job) as is_first:
            if not is_first:
                self._put_off_until[job.id] = self._clock.now() + REPORT_EVERY
                return
            try:
                self._fetch_missing(job)
                self._jobs.hold(job.id, None)
            except _NoLongerQueued:
                return
            except (NotFound, Rejected) as error:
                self._fail(job, error.message)
            except _Later as error:
                self._put_off(job, error.reason)
        self._wake_up.notify()

    @contextmanager
    def _only_one_of(self, job: Job) -> Iterator[bool]:
        """Jobs on one dataset want the same pictures: one of them fetches, the others look again later."""
        with self._choosing:
            is_first = job.dataset_id not in self._at_work
            self._at_work.add(job.dataset_id)
        try:
            yield is_first
        finally:
            if is_first:
                self._at_work.discard(job.dataset_id)

    def _missing(self, job: Job) -> Sequence[DatasetItem]:
        """Of the version that it trains on. What the launch refuses with a better sentence is not missing."""
        if user_folder(job.user_id) is None or job.dataset_sha256 is None:
            return ()
        try:
            version = self._versions.get(job.dataset_id, job.dataset_sha256)
        except NotFound:
            return ()
        wanted = {item.id for item in version.items}
        return self._files.missing([item for item in self._datasets.items(job.dataset_id) if item.id in wanted])

    def _fetch_missing(self, job: Job) -> None:
        missing = self._missing(job)
        if not missing or self._objects is None:
            return
        self._require_room(sum(item.size_bytes for item in missing))
        log.info("fetching pictures", job_id=job.id, dataset_id=job.dataset_id, count=len(missing))
        with ThreadPoolExecutor(PICTURES_AT_ONCE, thread_name_prefix="fetch") as pool:
            fetches = [pool.submit(self._fetch, job, item) for item in missing]
            try:
                self._follow(job, fetches)
            finally:
                pool.shutdown(cancel_futures=True)

    def _fetch(self, job: Job, item: DatasetItem) -> None:
        objects, folder = self._objects, user_folder(job.user_id)
        assert objects is not None and folder is not None  # noqa: S101, PT018 - or nothing were missing
        key = picture_key(folder, item.dataset_id, item.file_name)
        try:
            self._files.complete(item, lambda path: objects.fetch(key, path, size_bytes=item.size_bytes))
        except StoreUnavailable as error:
            raise _Later(f"Storage did not give its pictures: {error.message.rstrip('.')}") from error

    def _follow(self, job: Job, fetches: Sequence[Future[None]]) -> None:
        """Report how far they are. Raises what the first of them raised that failed."""
        reported_at = self._clock.now()
        for done, fetch in enumerate(as_completed(fetches), start=1):
            fetch.result()
            if self._clock.now() - reported_at >= REPORT_EVERY:
                reported_at = self._clock.now()
                if not self._jobs.hold(job.id, f"{FETCHING}: {done} of {len(fetches)}"):
                    raise _NoLongerQueued

    def _require_room(self, needed_bytes: int) -> None:
        if needed_bytes > self._limits.max_bytes:
            raise _Later(f"its pictures have {_mib(needed_bytes)}, more than LORRY_MAX_UPLOAD_BYTES allows")
        free_bytes = self._disk.free_bytes()
        if free_bytes - needed_bytes < self._limits.min_free_bytes:
            raise _Later(f"its pictures need {_mib(needed_bytes)} of disk, and {_mib(free_bytes)} are free")

    def _put_off(self, job: Job, reason: str) -> None:
        again_at = self._clock.now() + TRY_AGAIN_AFTER
        self._put_off_until[job.id] = again_at
        self._jobs.hold(job.id, f"{reason}; tried again at {again_at:%H:%M:%S} UTC")
        log.warning("pictures not fetched", job_id=job.id, dataset_id=job.dataset_id, reason=reason)

    def _fail(self, job: Job, found: str) -> None:
        """The job ends as it would have at its launch."""
        reason = EndReason.DATASET_MISSING
        self._jobs.hold(job.id, None)
        current = self._jobs.get(job.id)
        if current.status is not JobStatus.QUEUED:
            return
        ended = current.ended(reason, at=self._clock.now(), message=f"{ENDINGS[reason].sentence} {found}")
        event = status_event(current, ended, ended.error_message or "", reason=reason)
        try:
            self._jobs.save(ended, events=[event])
        except StaleJob:
            return  # cancelled in between
        log.info("job ended", job_id=job.id, reason=str(reason))


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MiB"
