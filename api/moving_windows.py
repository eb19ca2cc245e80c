"""Where the rate limits' moving windows are kept: in this process, and without a thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from limits.storage import MemoryStorage

_SWEEP_SECONDS = 60.0


@dataclass(slots=True)
class _Window:
    seconds: int
    hits: deque[float] = field(default_factory=deque)  # instants, oldest first

    def slide(self, now: float) -> None:
        while self.hits and self.hits[0] < now - self.seconds:
            self.hits.popleft()


class MovingWindows(MemoryStorage):
    """A storage of `limits`. Its own starts a thread every hundredth of a second to forget hits that no longer count,
    and a busy server's loop waits for each of them to begin; here they are forgotten as somebody asks."""

    SCHEME = "moving-windows"
    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - as its base has it

    def __init__(self, uri: str | None = None, *, wrap_exceptions: bool = False, **_options: str) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()
        self._swept_at = time.time()

    @property
    def kept(self) -> int:
        """Windows in memory."""
        return len(self._windows)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.time()
        with self._lock:
            self._sweep(now)
            window = self._windows.setdefault(key, _Window(expiry))
            window.slide(now)
            if len(window.hits) + amount > limit:
                return False
            window.hits.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - limits' own
        now = time.time()
        with self._lock:
            window = self._windows.get(key, _Window(expiry))
            window.slide(now)
            return (window.hits[0] if window.hits else now), len(window.hits)

    def _sweep(self, now: float) -> None:
        """Whoever has not asked for long is forgotten altogether."""
        if now - self._swept_at < _SWEEP_SECONDS:
            return
        self._swept_at = now
        for key, window in list(self._windows.items()):
            window.slide(now)
            if not window.hits:
                del self._windows[key]
