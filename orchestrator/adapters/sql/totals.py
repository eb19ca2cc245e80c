"""How many rows a list has: counting very many takes longer than reading a page of them, so that number is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

MANY = 10_000  # a total below is counted every time
FRESH_SECONDS = 10.0
_MOST_KEPT = 1_000


class Totals:
    """One for each store object; threads may share it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: dict[Hashable, tuple[int, float]] = {}  # the total, and when it was counted

    def get(self, of: Hashable, count: Callable[[], int]) -> int:
        """What `count` says, or what it said of the same list not long ago when that was MANY or more."""
        total, counted_at = self._kept.get(of, (0, float("-inf")))
        if self._now() - counted_at < FRESH_SECONDS:
            return total
        total = count()
        if total >= MANY:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[of] = (total, self._now())
        return total
