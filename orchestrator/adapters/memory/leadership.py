"""Leadership within one process, for tests: rivals share a seat."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.errors import Deposed
from orchestrator.ports.clock import Clock
from orchestrator.ports.leadership import Term


@dataclass(slots=True)
class Seat:
    """What rivals compete for: the term under way, if any, and the newest one."""

    taken_by: MemoryLeadership | None = None
    latest: Term | None = None


class MemoryLeadership:
    def __init__(self, seat: Seat, clock: Clock, *, holder: str = "host (pid 1)") -> None:
        self._seat = seat
        self._clock = clock
        self._holder = holder
        self._number = 0

    @property
    def number(self) -> int:
        return self._number

    def acquire(self) -> bool:
        if self._seat.taken_by not in (None, self):
            return False
        self._number = self._seat.latest.number + 1 if self._seat.latest else 1
        self._seat.taken_by = self
        self._seat.latest = Term(self._number, self._holder, self._clock.now())
        return True

    def confirm(self) -> None:
        if not self._number or self._seat.taken_by is not self:
            raise Deposed("This process lost the seat.")

    def release(self) -> None:
        self._number = 0
        if self._seat.taken_by is self:
            self._seat.taken_by = None

    def latest(self) -> Term | None:
        return self._seat.latest
