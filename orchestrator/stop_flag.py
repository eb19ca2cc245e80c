"""A flag that a signal handler may set."""

from __future__ import annotations


class StopFlag:
    """What `threading.Event` is, without its lock: a second signal that comes while the first one's handler holds that
    would wait for itself, and the process would never end."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set
