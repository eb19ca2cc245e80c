"""Steps that are over when `begin` returns."""

from __future__ import annotations

from collections.abc import Callable


class InlineSteps:
    def begin(self, job_id: str, step: Callable[[], None]) -> None:  # noqa: ARG002 - the port's signature
        step()

    def is_busy(self, job_id: str) -> bool:  # noqa: ARG002 - the port's signature
        return False

    def settle(self) -> None:
        """Nothing is ever left."""

    def wait(self, timeout_seconds: float) -> None:
        """Nothing is ever left."""
