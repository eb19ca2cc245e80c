"""Measurements that only the orchestrator's process can take; everything that lies in the store is counted there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Meter(Protocol):
    """Nothing here blocks or fails."""

    def timed_pass(self) -> AbstractContextManager[None]:
        """Around one pass of the reconciler, failed ones included."""

    def job_started(self, *, after_seconds: float) -> None:
        """A job's first container started, so long after the job was stored."""

    def events_ingested(self, *, lag_seconds: float) -> None:
        """Events were stored; the newest of them had been written so long before."""
