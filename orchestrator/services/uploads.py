"""Copying what completed jobs left to an object store, where a web app finds it without asking Lorry, and removing
copies whose original was deleted.

The local file is the one that counts: it is never taken away here, and a copy that failed is made later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import structlog

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.errors import Deposed, NotFound, Rejected, StoreUnavailable
from orchestrator.domain.storage import artifact_key, user_folder
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.clock import Clock
from orchestrator.ports.object_store import MOST_KEYS, ObjectStore
from orchestrator.ports.upload_store import CopyStore, LeftCopy, PendingUpload, UploadOutcome, UploadStore
from orchestrator.services.rounds import run_rounds

log = structlog.get_logger()

PAGE = 100
ROUND_SECONDS = 5.0
# After a store that was away or would not have a file; either takes a person, or time, to mend.
BACK_OFF_SECONDS = 60.0


class Removal:
    """Objects of one bucket whose original is gone."""

    def __init__(self, *, copies: CopyStore, objects: ObjectStore, clock: Clock) -> None:
        self._copies = copies
        self._objects = objects
        self._clock = clock

    def remove_left_over(self, stop: threading.Event) -> None:
        """All of them, until `stop` is set. Raises StoreUnavailable."""
        while not stop.is_set() and (left := self._copies.left_over(now=self._clock.now(), limit=PAGE)):
            self._remove(left)

    def _remove(self, left: Sequence[LeftCopy]) -> None:
        keys = [key for copy in left for key in copy.object_keys]
        for first in range(0, len(keys), MOST_KEYS):
            self._objects.remove(keys[first : first + MOST_KEYS])
        self._copies.forget([copy.id for copy in left])
        if keys:
            log.info("copies removed", count=len(keys))


class Uploads:
    def __init__(
        self,
        *,
        store: UploadStore,
        artifacts: ArtifactStore,
        objects: ObjectStore,
        removals: Sequence[Removal],
        clock: Clock,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._objects = objects
        self._removals = removals
        self._clock = clock

    def run_until(self, stop: threading.Event, is_leading: Callable[[], bool]) -> None:
        """Round after round while this process leads; in a thread of its own: gigabytes take their time."""
        run_rounds(lambda: self._round(stop), stop=stop, is_leading=is_leading, idle_seconds=ROUND_SECONDS)

    def copy_pending(self, stop: threading.Event) -> bool:
        """Copy all that is pending, until `stop` is set; whether every file was taken. Raises StoreUnavailable."""
        are_all_taken = True
        for pending in self._pending():
            if stop.is_set():
                break
            are_all_taken &= self._copy(pending)
        return are_all_taken

    def remove_left_over(self, stop: threading.Event) -> None:
        """Remove the copies of what is gone, until `stop` is set. Raises StoreUnavailable."""
        for removal in self._removals:
            removal.remove_left_over(stop)

    def _round(self, stop: threading.Event) -> float:
        """Seconds until the next one."""
        try:
            self.remove_left_over(stop)
            return ROUND_SECONDS if self.copy_pending(stop) else BACK_OFF_SECONDS
        except (StoreUnavailable, Deposed) as error:
            log.warning("uploads put off", error=error.message)
            return BACK_OFF_SECONDS

    def _pending(self) -> Iterator[PendingUpload]:
        after_id = ""
        while page := self._store.pending(after_id=after_id, limit=PAGE):
            yield from page
            after_id = page[-1].artifact.id

    def _copy(self, pending: PendingUpload) -> bool:
        """Whether the file needs no other try. One that is refused does not hold up the others."""
        artifact, folder = pending.artifact, user_folder(pending.user_id)
        key = artifact_key(folder, artifact.job_id, artifact.path) if folder else None
        try:
            outcome = self._put(artifact, key)
        except Rejected as error:
            log.warning("artifact not uploaded", artifact_id=artifact.id, job_id=artifact.job_id, error=error.message)
            return False
        uploaded = key if outcome is UploadOutcome.UPLOADED else None
        self._store.settle(artifact.id, outcome, object_key=uploaded, at=self._clock.now())
        return True

    def _put(self, artifact: Artifact, key: str | None) -> UploadOutcome:
        if key is None:
            return UploadOutcome.NO_FOLDER
        try:
            path = self._artifacts.locate(artifact.job_id, artifact.path)
        except NotFound:
            return UploadOutcome.FILE_GONE
        self._objects.put(key, path)
        return UploadOutcome.UPLOADED
