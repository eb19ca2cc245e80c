"""What takes long for one job (a start, an end) goes on beside the passes, so that no job waits for another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Steps(Protocol):
    def begin(self, job_id: str, step: Callable[[], None]) -> None:
        """Do `step` now or soon. Only for a job that is not busy."""

    def is_busy(self, job_id: str) -> bool:
        """Whether a step of this job was begun that no `settle` has seen the end of: what was read of the job may be
        older than what the step stored."""

    def settle(self) -> None:
        """Forget the steps that are over. Raises what one of them raised."""

    def wait(self, timeout_seconds: float) -> None:
        """Until every step is over, or the timeout. Begin none meanwhile."""
