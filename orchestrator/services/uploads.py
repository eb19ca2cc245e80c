"""Copying what completed jobs left to an object store, where a web app finds it without asking Lorry.

The local file is the one that counts: it is never taken away here, and a copy that failed is made later.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator

import structlog

from orchestrator.domain.errors import Deposed, NotFound, Rejected, StoreUnavailable
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.clock import Clock
from orchestrator.ports.upload_store import ObjectStore, PendingUpload, UploadOutcome, UploadStore

log = structlog.get_logger()

PAGE = 100
ROUND_SECONDS = 5.0
# After a store that was away or would not have a file; either takes a person, or time, to mend.
BACK_OFF_SECONDS = 60.0


class Uploads:
    def __init__(self, *, store: UploadStore, artifacts: ArtifactStore, objects: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._artifacts = artifacts
        self._objects = objects
        self._clock = clock

    def run_until(self, stop: threading.Event, is_leading: Callable[[], bool]) -> None:
        """Round after round while this process leads; in a thread of its own: gigabytes take their time."""
        pause = ROUND_SECONDS
        while not stop.wait(pause):
            pause = self._round(stop) if is_leading() else ROUND_SECONDS

    def copy_pending(self, stop: threading.Event) -> bool:
        """Copy all that is pending, until `stop` is set; whether every file was taken. Raises StoreUnavailable."""
        are_all_taken = True
        for pending in self._pending():
            if stop.is_set():
                break
            are_all_taken &= self._copy(pending)
        return are_all_taken

    def _round(self, stop: threading.Event) -> float:
        """Seconds until the next one."""
        try:
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
        try:
            outcome = self._put(pending)
        except Rejected as error:
            artifact = pending.artifact
            log.warning("artifact not uploaded", artifact_id=artifact.id, job_id=artifact.job_id, error=error.message)
            return False
        self._store.settle(pending.artifact.id, outcome, at=self._clock.now())
        return True

    def _put(self, pending: PendingUpload) -> UploadOutcome:
        key = object_key(pending)
        if key is None:
            return UploadOutcome.NO_FOLDER
        try:
            path = self._artifacts.locate(pending.artifact.job_id, pending.artifact.path)
        except NotFound:
            return UploadOutcome.FILE_GONE
        self._objects.put(key, path)
        return UploadOutcome.UPLOADED


def object_key(pending: PendingUpload) -> str | None:
    """`{user}/{job}/{path}`; None for a user whom only Lorry knows, and who has no folder there.

    Policies give a user the folder of their id, so it is built from what we know, never from what somebody sent.
    """
    try:
        user_id = str(uuid.UUID(pending.user_id))
    except ValueError:
        return None
    return f"{user_id}/{pending.artifact.job_id}/{pending.artifact.path}"
