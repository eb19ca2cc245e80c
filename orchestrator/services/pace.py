"""How often something that may be slow is done for each job, so that one job cannot make a pass slow for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from orchestrator.ports.clock import Clock

# What takes a second is not done again for ten.
_REST_FACTOR = 10


class Pace:
    """Due every `pause_seconds`, and less often for a job for which it takes longer than a tenth of that."""

    def __init__(self, clock: Clock, *, pause_seconds: float) -> None:
        self._clock = clock
        self._pause = timedelta(seconds=pause_seconds)
        self._due_at: dict[str, datetime] = {}

    def is_due(self, job_id: str) -> bool:
        now = self._clock.now()
        return now >= self._due_at.get(job_id, now)

    @contextmanager
    def timed(self, job_id: str) -> Iterator[None]:
        """Around the doing of it, which may fail."""
        began_at = self._clock.now()
        try:
            yield
        finally:
            ended_at = self._clock.now()
            self._due_at[job_id] = ended_at + max(self._pause, _REST_FACTOR * (ended_at - began_at))

    def forget(self, job_id: str) -> None:
        self._due_at.pop(job_id, None)
