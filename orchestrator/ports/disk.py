"""Room for what jobs write."""

from __future__ import annotations

from typing import Protocol


class Disk(Protocol):
    def free_bytes(self) -> int:
        """What is left where jobs write; 0 when nobody can tell, for then nothing can be written there either."""
