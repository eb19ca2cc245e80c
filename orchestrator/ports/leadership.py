"""Who orchestrates: one process at a time works on a store, and whoever was deposed can no longer write to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Term:
    """One process's time as the orchestrator; `number` grows with every change of hands."""

    number: int
    holder: str  # host and process id
    acquired_at: datetime  # by the store's clock

    def __str__(self) -> str:
        return f"{self.holder} since {self.acquired_at.isoformat(timespec='seconds')}"


class Leadership(Protocol):
    """Held until it is released or the process dies, however it dies. Every method may raise StoreUnavailable."""

    @property
    def number(self) -> int:
        """The number of the term that this process leads in; 0 while it does not."""

    def acquire(self) -> bool:
        """Begin a term unless another process leads; never waits for it to end."""

    def confirm(self) -> None:
        """Raises Deposed when the leadership was lost, which a connection that broke is too."""

    def release(self) -> None:
        """Let another process lead; nothing happens when this one does not."""

    def latest(self) -> Term | None:
        """The newest term, whoever holds it; None when there was none yet."""
