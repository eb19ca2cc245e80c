"""WakeUp within one process."""

from __future__ import annotations

import threading


class ThreadWakeUp:
    """A notification that comes while nobody waits is kept for the next wait; several count as one."""

    def __init__(self) -> None:
        self._notified = threading.Event()

    def notify(self) -> None:
        self._notified.set()

    def wait(self, timeout_seconds: float) -> bool:
        is_notified = self._notified.wait(timeout_seconds)
        if is_notified:
            self._notified.clear()
        return is_notified
