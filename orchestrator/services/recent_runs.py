"""What completed jobs tell of this installation's speed, read again only now and then: it changes slowly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from orchestrator.domain.estimates import Run
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore

_FRESH = timedelta(seconds=10)
# Enough for each of an installation's usual settings to be among them.
_LIMIT = 200


class RecentRuns:
    """Threads may share it."""

    def __init__(self, *, jobs: JobStore, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._read_at = clock.now() - _FRESH
        self._runs: Sequence[Run] = ()

    def read(self) -> Sequence[Run]:
        """Newest submission first, as of ten seconds ago at most. While there is none it is looked every time."""
        now = self._clock.now()
        if not self._runs or now - self._read_at >= _FRESH:
            self._runs, self._read_at = self._jobs.recent_runs(limit=_LIMIT), now
        return self._runs
