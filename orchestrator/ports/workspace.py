"""The folders a job's container reads and writes, on the host's side. What is in `outputs` is hostile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.domain.diagnostic import DiagnosticTable

# What `outputs_bytes` says of a folder with more entries than anyone has patience to look at.
BEYOND_MEASURE = 2**62


@dataclass(frozen=True, slots=True)
class JobPaths:
    """Absolute host paths; the same inside the orchestrator's own container."""

    config: str
    outputs: str
    table: str | None = None  # a diagnostic job's rows, a file


@dataclass(frozen=True, slots=True)
class EventsBite:
    """Lines of an event file, each with its line end, and the size of the whole file."""

    lines: tuple[bytes, ...]
    file_bytes: int


@dataclass(frozen=True, slots=True)
class LogPart:
    """Lines of a log that stand behind each other. A line's number never changes while the log is there."""

    lines: tuple[str, ...]
    first_line: int  # the number of the first of them, from 1; of an empty part, the one that a line would have
    line_count: int  # of the whole log


class Workspace(Protocol):
    log_limit_bytes: int  # a log larger than this is full: it ends with a mark that says so

    def prepare(self, job_id: str, config: dict[str, Any], table: DiagnosticTable | None = None) -> JobPaths:
        """Write the config file, and the table where there is one, and make the outputs folder, writable for the
        container's user. Safe to repeat.

        Raises LaunchRefused (LAUNCH_REFUSED) when the disk says no.
        """

    def prepare_cache(self, user_id: str, *, limit_bytes: int) -> str:
        """Absolute host path of the folder that this user's jobs share, writable for the container's user.

        Emptied first where it holds more than `limit_bytes`, under running jobs too. Raises LaunchRefused as above.
        """

    def read_events(self, job_id: str, *, offset: int, limit_bytes: int, is_final: bool = False) -> EventsBite:
        """Whole lines of events.jsonl from byte `offset`, `limit_bytes` together at most.

        A line longer than `limit_bytes` comes in pieces, each alone in its answer, so the lengths of what came always
        add up to the next offset. `is_final`: nobody writes any more, so that a last line without an end comes too.
        Never follows a link, never blocks on a FIFO: what is no regular file, and what is not there, is empty.
        """

    def append_log(self, job_id: str, lines: Sequence[str], *, at_bytes: int) -> int:
        """Cut the job's log back to its first `at_bytes`, add `lines`, return its size.

        Storing that size makes the addition exactly once: what a crash left behind it is cut off by the next one.
        The line that would pass `log_limit_bytes` is cut there, followed by a mark; a full log takes no more.
        """

    def read_log(self, job_id: str, *, tail: int) -> Sequence[str]:
        """The last `tail` lines; () when there is no log."""

    def log_part(self, job_id: str, *, after: int | None, limit: int) -> LogPart:
        """At most `limit` lines: those behind line `after`, or, where that is None, the last ones."""

    def log_lines(self, job_id: str, *, offset: int, limit_bytes: int) -> Sequence[bytes]:
        """Lines of the log from byte `offset`, each with its line end, `limit_bytes` together at most.

        A line longer than that comes in pieces, so the lengths of what came always add up to the next offset; () when
        there is no log.
        """

    def outputs_bytes(self, job_id: str) -> int:
        """What the outputs take on the disk, a flat charge for each entry included; 0 when there are none.

        Bounded in entries and in time, whatever a container made there: BEYOND_MEASURE for more entries than that, and
        what was counted so far when time is up.
        """

    def restore_checkpoints(self, job_id: str, files: Mapping[str, str]) -> bool:
        """Give prepared outputs that have no `checkpoints` folder these files of it (path below the outputs -> absolute
        path of a copy), all or none; False where there is such a folder, or something in its place.

        Raises LaunchRefused (LAUNCH_REFUSED) when the disk says no.
        """

    def remove(self, job_id: str) -> None:
        """Delete config, outputs and log, however odd the outputs are. Safe to repeat."""
