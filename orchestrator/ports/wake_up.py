"""A hint that something changed. Losing one costs time, never correctness: polling is the truth."""

from __future__ import annotations

from typing import Protocol


class WakeUp(Protocol):
    def notify(self) -> None:
        """Wake whoever waits, or the next one to wait."""

    def wait(self, timeout_seconds: float) -> bool:
        """Return on a notification or after the timeout, whichever comes first; whether it was a notification."""
