"""How long to wait before asking again what did not answer."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_DOUBLINGS = 64  # no pause needs more, and a float holds no power of a million


@dataclass(frozen=True, slots=True)
class BackOff:
    """Pauses that double from the first to the longest, so that what is away can come back in peace."""

    first_seconds: float
    longest_seconds: float

    def pause_seconds(self, failures: int) -> float:
        """The pause after `failures` earlier ones."""
        return min(self.first_seconds * 2.0 ** min(failures, _MOST_DOUBLINGS), self.longest_seconds)

    def spread_seconds(self, failures: int, jitter: float) -> float:
        """That pause, up to half of it taken away by `jitter` in 0..1, so that many who wait do not come at once."""
        return self.pause_seconds(failures) * (1 - jitter / 2)
