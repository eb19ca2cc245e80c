"""The folders a job's container reads and writes, on the host's side. What is in `outputs` is hostile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class JobPaths:
    """Absolute host paths; the same inside the orchestrator's own container."""

    config: str
    outputs: str


class Workspace(Protocol):
    def prepare(self, job_id: str, config: dict[str, Any]) -> JobPaths:
        """Write the config file and make the outputs folder, writable for the container's user. Safe to repeat.

        Raises LaunchRefused (LAUNCH_REFUSED) when the disk says no.
        """

    def read_events(self, job_id: str, *, offset: int, limit_bytes: int) -> tuple[bytes, ...] | None:
        """Whole lines of events.jsonl from byte `offset`, each with its line end, `limit_bytes` together at most.

        () when there is nothing new. A line longer than `limit_bytes` comes in pieces, each alone in its answer, so the
        lengths of what came always add up to the next offset. Never follows a link, never blocks on a FIFO. None when
        the file is not a regular file.
        """

    def append_log(self, job_id: str, lines: Sequence[str]) -> None:
        """Add lines to the job's log file, which is bounded: beyond it one mark is written and the rest dropped."""

    def read_log(self, job_id: str, *, tail: int) -> Sequence[str]:
        """The last `tail` lines; () when there is no log."""

    def remove(self, job_id: str) -> None:
        """Delete config, outputs and log, however odd the outputs are. Safe to repeat."""
