"""Workspace in memory; tests play the container with `write`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.domain.diagnostic import DiagnosticTable
from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.workspace import EventsBite, JobPaths, LogPart

_EVENTS = "events.jsonl"
_LOG_MARK = b"[the log ends here: its size limit is reached]\n"


class MemoryWorkspace:
    """`configs` by job, `outputs` by job and path; a None in place of bytes is something that is no regular file."""

    def __init__(self, *, log_limit_bytes: int = 50 * 1024**2) -> None:
        self.configs: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, bytes | None]] = {}
        self.caches: dict[str, dict[str, bytes]] = {}  # by user and path
        self.is_disk_full = False
        self.log_limit_bytes = log_limit_bytes
        self._logs: dict[str, bytes] = {}

    def write(self, job_id: str, path: str, data: bytes | None) -> None:
        """The container appends to a file of its outputs; None puts something there that is no regular file."""
        files = self.outputs[job_id]
        files[path] = None if data is None else (files.get(path) or b"") + data

    def prepare(self, job_id: str, config: dict[str, Any], table: DiagnosticTable | None = None) -> JobPaths:
        if self.is_disk_full:
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, "The disk in memory is full.")
        self.configs[job_id] = config
        self.outputs.setdefault(job_id, {})
        return JobPaths(
            config=f"/memory/configs/{job_id}.json",
            outputs=f"/memory/outputs/{job_id}",
            table=f"/memory/configs/{job_id}.{table.name}" if table else None,
        )

    def prepare_cache(self, user_id: str, *, limit_bytes: int) -> str:
        if self.is_disk_full:
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, "The disk in memory is full.")
        cache = self.caches.setdefault(user_id, {})
        if sum(map(len, cache.values())) > limit_bytes:
            cache.clear()
        return f"/memory/cache/{user_id}"

    def read_events(self, job_id: str, *, offset: int, limit_bytes: int, is_final: bool = False) -> EventsBite:
        data = self.outputs.get(job_id, {}).get(_EVENTS) or b""
        return EventsBite(_lines(data[offset : offset + limit_bytes], limit_bytes, is_final=is_final), len(data))

    def append_log(self, job_id: str, lines: Sequence[str], *, at_bytes: int) -> int:
        log = self._logs.get(job_id, b"")[:at_bytes]
        added = b"".join(line.encode("utf-8", errors="replace") + b"\n" for line in lines)
        room = self.log_limit_bytes - len(log)
        if room >= 0:
            fits = len(added) <= room
            log += added if fits else added[: max(0, room - 1)] + b"\n" * (room > 0) + _LOG_MARK
        self._logs[job_id] = log
        return len(log)

    def read_log(self, job_id: str, *, tail: int) -> Sequence[str]:
        return tuple(self._logs.get(job_id, b"").decode("utf-8", errors="replace").split("\n")[:-1][-tail:])

    def log_part(self, job_id: str, *, after: int | None, limit: int) -> LogPart:
        lines = self._logs.get(job_id, b"").decode("utf-8", errors="replace").split("\n")[:-1]
        before = max(0, len(lines) - limit) if after is None else min(after, len(lines))
        return LogPart(tuple(lines[before : before + limit]), before + 1, len(lines))

    def log_lines(self, job_id: str, *, offset: int, limit_bytes: int) -> Sequence[bytes]:
        data = self._logs.get(job_id, b"")[offset : offset + limit_bytes]
        return _lines(data, limit_bytes, is_final=False)

    def outputs_bytes(self, job_id: str) -> int:
        return sum(len(data or b"") for data in self.outputs.get(job_id, {}).values())

    def restore_checkpoints(self, job_id: str, files: Mapping[str, str]) -> bool:
        outputs = self.outputs[job_id]
        if any(path.split("/")[0] == "checkpoints" for path in outputs):
            return False
        outputs.update({path: Path(source).read_bytes() for path, source in files.items()})
        return True

    def remove(self, job_id: str) -> None:
        for kept in (self.configs, self.outputs, self._logs):
            kept.pop(job_id, None)


def _lines(data: bytes, limit_bytes: int, *, is_final: bool) -> tuple[bytes, ...]:
    *lines, rest = data.split(b"\n")
    whole = tuple(line + b"\n" for line in lines)
    return (*whole, rest) if rest and (is_final or (not lines and len(rest) == limit_bytes)) else whole
