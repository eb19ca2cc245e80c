"""`lorry cleanup`: everything that nobody needs any more, at once and on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.domain.audit import OPERATOR, AuditAction, AuditEntry
from orchestrator.domain.errors import RuntimeUnavailable
from orchestrator.domain.retention import Removed, totals
from orchestrator.ports.audit_log import AuditLog
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.data_folder import DataFolder, Folder
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.retention_store import RetentionStore
from orchestrator.services.retention import PAGE, Retention
from orchestrator.services.sweep import Sweep

# Younger ones may belong to somebody who is at work right now.
MIN_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What was removed, or would be; `problem` says what could not be looked at."""

    removed: Sequence[Removed]
    problem: str | None = None


class Cleanup:
    def __init__(
        self,
        *,
        retention: Retention,
        sweep: Sweep,
        jobs: JobStore,
        runtime: ContainerRuntime,
        store: RetentionStore,
        folder: DataFolder,
        audit_log: AuditLog,
        clock: Clock,
    ) -> None:
        self._retention = retention
        self._sweep = sweep
        self._jobs = jobs
        self._runtime = runtime
        self._store = store
        self._folder = folder
        self._audit_log = audit_log
        self._clock = clock

    def preview(self) -> CleanupReport:
        """What `run` would remove. Raises StoreUnavailable."""
        return self._look(is_dry_run=True)

    def run(self) -> CleanupReport:
        """Raises StoreUnavailable, and PortError when the disk says no."""
        report = self._look(is_dry_run=False)
        counts = {each.kind: each.count for each in report.removed if each.count}
        self._audit_log.add(
            AuditEntry(
                actor=OPERATOR,
                action=AuditAction.CLEANED_UP,
                subject="data directory",
                message="`lorry cleanup` removed " + (", ".join(counts) or "nothing") + ".",
                data={"removed": counts},
                at=self._clock.now(),
            )
        )
        return report

    def _look(self, *, is_dry_run: bool) -> CleanupReport:
        containers, problem = self._containers(is_dry_run=is_dry_run)
        strays = [*self._strays(is_dry_run=is_dry_run), *self._staged_models(is_dry_run=is_dry_run)]
        # Last, because it empties the trash.
        aged = self._retention.preview() if is_dry_run else self._retention.apply()
        empty = [Removed("containers"), *(Removed(_stray(folder)) for folder in Folder), Removed("staged models")]
        return CleanupReport(totals([*aged, *empty, containers, *strays]), problem)

    def _containers(self, *, is_dry_run: bool) -> tuple[Removed, str | None]:
        try:
            snapshot = self._runtime.snapshot()
            # Read after the list: what has been started in between is not in it.
            expected = {(job.id, attempt.number) for job, attempt in self._jobs.active()}
            if is_dry_run:
                return Removed("containers", len(self._sweep.left_over(snapshot, expected))), None
            return Removed("containers", self._sweep.remove_left_over(snapshot, expected)), None
        except RuntimeUnavailable as error:
            return Removed("containers"), f"Containers were not looked at. {error.message}"

    def _strays(self, *, is_dry_run: bool) -> Iterator[Removed]:
        """Files of jobs that the store does not know."""
        oldest = self._clock.now() - MIN_AGE
        for folder in Folder:
            job_ids = self._folder.job_ids(folder)
            for start in range(0, len(job_ids), PAGE):
                for job_id in sorted(self._store.unknown(job_ids[start : start + PAGE])):
                    if self._folder.changed_at(folder, job_id) < oldest:
                        yield Removed(_stray(folder), 1, self._folder.size_bytes(folder, job_id))
                        if not is_dry_run:
                            self._folder.set_aside(folder, job_id)

    def _staged_models(self, *, is_dry_run: bool) -> Iterator[Removed]:
        oldest = self._clock.now() - MIN_AGE
        for staged in self._folder.staged_models():
            if staged.changed_at < oldest:
                yield Removed("staged models", 1, self._folder.staged_size_bytes(staged.name))
                if not is_dry_run:
                    self._folder.set_staged_aside(staged.name)


def _stray(folder: Folder) -> str:
    return f"{folder} of no job"
