"""Disk whose fill level a test sets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class MemoryDisk:
    free: int = 1024**4

    def free_bytes(self) -> int:
        return self.free
