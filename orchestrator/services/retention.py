"""Taking away what ended jobs left behind, once the policy says that it has been kept for long enough."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import structlog

from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.deletion import UndoPolicy
from orchestrator.domain.errors import Deposed, PortError, StoreUnavailable
from orchestrator.domain.retention import Kind, Removed, RetentionPolicy, removal_mark
from orchestrator.ports.artifact_store import ArtifactStore
from orchestrator.ports.clock import Clock
from orchestrator.ports.data_folder import DataFolder, Folder
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.retention_store import Aged, RetentionStore
from orchestrator.ports.trash import Trash
from orchestrator.services.rounds import run_rounds

log = structlog.get_logger()

# Jobs of each kind in one round: a store that others wait for is never kept busy for long.
BATCH = 100
PAGE = 500
DELETED = "deleted jobs"
FIRST_ROUND_SECONDS = 60.0
ROUND_SECONDS = 3_600.0
# After a full batch there is more to do; after a store that was away, the same again.
NEXT_BATCH_SECONDS = 10.0

_FOLDERS = {Kind.LOGS: Folder.LOGS, Kind.OUTPUTS: Folder.OUTPUTS}


class Retention:
    """Jobs that have not ended are never touched, nor are rows and adapter files of jobs that nobody deleted."""

    def __init__(
        self,
        *,
        store: RetentionStore,
        trash: Trash,
        undo: UndoPolicy,
        records: RecordStore,
        artifacts: ArtifactStore,
        folder: DataFolder,
        clock: Clock,
        policy: RetentionPolicy,
    ) -> None:
        self._store = store
        self._trash = trash
        self._undo = undo
        self._records = records
        self._artifacts = artifacts
        self._folder = folder
        self._clock = clock
        self._policy = policy

    def run_until(self, stop: threading.Event, is_leading: Callable[[], bool]) -> None:
        """A round an hour while this process leads; in a thread of its own: a million files take minutes to delete."""
        run_rounds(self._round, stop=stop, is_leading=is_leading, idle_seconds=FIRST_ROUND_SECONDS)

    def apply(self, *, batch: int | None = None) -> Sequence[Removed]:
        """Remove what is due, of at most `batch` jobs a kind; what was removed. Raises StoreUnavailable."""
        now = self._clock.now()
        self._trash.empty(before=self._undo.since(now), at=now, limit=batch)
        removed = [*(self._apply(kind, now, batch) for kind in Kind), self._remove_deleted(batch)]
        if left := self._folder.empty_trash():
            log.warning("trash not emptied", left=left)
        return removed

    def preview(self) -> Sequence[Removed]:
        """What `apply` would remove. Raises StoreUnavailable."""
        now = self._clock.now()
        due = [sum((self._measured(kind, aged) for aged in self._due(kind, now)), start=Removed(kind)) for kind in Kind]
        deleted = [*self._trash.due(before=self._undo.since(now)), *self._store.deleted()]
        return [*due, sum(map(self._measured_deleted, deleted), start=Removed(DELETED))]

    def _round(self) -> float:
        """Seconds until the next one."""
        try:
            removed = self.apply(batch=BATCH)
        except (StoreUnavailable, Deposed) as error:
            log.warning("retention put off", error=error.message)
            return NEXT_BATCH_SECONDS
        if any(each.count for each in removed):
            log.info("retention removed", **{each.kind: each.count for each in removed if each.count})
        return NEXT_BATCH_SECONDS if any(each.count >= BATCH for each in removed) else ROUND_SECONDS

    def _apply(self, kind: Kind, now: datetime, batch: int | None) -> Removed:
        total = Removed(kind)
        for aged in islice(self._due(kind, now), batch):
            try:
                total += self._remove(kind, aged, now)
            except StoreUnavailable:
                raise
            except PortError as error:
                log.warning("not removed", kind=kind, job_id=aged.job_id, error=error.message)
        return total

    def _remove_deleted(self, batch: int | None) -> Removed:
        """What jobs that their users deleted still have on disk."""
        total = Removed(DELETED)
        for job_id in self._store.deleted()[:batch]:
            measured = self._measured_deleted(job_id)
            try:
                for folder in Folder:
                    self._folder.set_aside(folder, job_id)
                self._store.forget_deleted(job_id)
            except StoreUnavailable:
                raise
            except PortError as error:
                log.warning("not removed", kind=DELETED, job_id=job_id, error=error.message)
            else:
                total += measured
        return total

    def _measured_deleted(self, job_id: str) -> Removed:
        return Removed(DELETED, 1, sum(self._folder.size_bytes(folder, job_id) for folder in Folder))

    def _due(self, kind: Kind, now: datetime) -> Iterator[Aged]:
        ended_before = self._policy.ended_before(kind, now)
        if ended_before is None:
            return iter(())
        if kind in _FOLDERS:
            return self._jobs_with_files(_FOLDERS[kind], ended_before)
        return self._jobs_with_rows(kind, ended_before)

    def _jobs_with_files(self, folder: Folder, ended_before: datetime) -> Iterator[Aged]:
        job_ids = self._folder.job_ids(folder)
        for start in range(0, len(job_ids), PAGE):
            for job_id, ended_at in self._store.ended(job_ids[start : start + PAGE], before=ended_before).items():
                yield Aged(job_id, ended_at, 1)

    def _jobs_with_rows(self, kind: Kind, ended_before: datetime) -> Iterator[Aged]:
        page = self._store.aged(kind, ended_before=ended_before, limit=PAGE)
        while page:
            yield from page
            page = self._store.aged(kind, ended_before=ended_before, limit=PAGE, after=page[-1].job_id)

    def _measured(self, kind: Kind, aged: Aged) -> Removed:
        if kind in _FOLDERS:
            return Removed(kind, 1, self._folder.size_bytes(_FOLDERS[kind], aged.job_id))
        if kind is Kind.CHECKPOINTS:
            return Removed(kind, aged.rows, sum(file.size_bytes for file in self._checkpoints(aged.job_id)))
        return Removed(kind, aged.rows)

    def _remove(self, kind: Kind, aged: Aged, now: datetime) -> Removed:
        """Files first, then rows: whatever breaks in between, the next round finds the rest."""
        measured = self._measured(kind, aged)
        gap = removal_mark(aged.job_id, kind, until=aged.ended_at, days=self._policy.days[kind], now=now)
        if kind in _FOLDERS:
            with self._store.while_ended(aged.job_id, gap) as is_ended:
                if is_ended:
                    self._folder.set_aside(_FOLDERS[kind], aged.job_id)
            return measured if is_ended else Removed(kind)
        for file in self._checkpoints(aged.job_id) if kind is Kind.CHECKPOINTS else ():
            self._artifacts.discard(aged.job_id, file.path)
        removed_rows = self._store.remove_rows(kind, aged.job_id, gap)
        return Removed(kind, removed_rows, measured.size_bytes)

    def _checkpoints(self, job_id: str) -> Sequence[Artifact]:
        """Checkpoint files that are nothing else: two attempts share a path, and an adapter may be one's."""
        files = self._records.artifacts(job_id)
        kept = {file.path for file in files if file.kind is not ArtifactKind.CHECKPOINT}
        return list({file.path: file for file in files if file.path not in kept}.values())
