"""Workspace in memory; tests play the container with `write`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.workspace import JobPaths

_EVENTS = "events.jsonl"
_LOG_MARK = "[the log ends here: its size limit is reached]"


class MemoryWorkspace:
    """`configs` by job, `outputs` by job and path; a None in place of bytes is something that is no regular file."""

    def __init__(self, *, log_limit_bytes: int = 50 * 1024**2) -> None:
        self.configs: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, bytes | None]] = {}
        self.is_disk_full = False
        self._logs: dict[str, list[str]] = {}
        self._log_limit_bytes = log_limit_bytes

    def write(self, job_id: str, path: str, data: bytes | None) -> None:
        """The container appends to a file of its outputs; None puts something there that is no regular file."""
        files = self.outputs[job_id]
        files[path] = None if data is None else (files.get(path) or b"") + data

    def prepare(self, job_id: str, config: dict[str, Any]) -> JobPaths:
        if self.is_disk_full:
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, "The disk in memory is full.")
        self.configs[job_id] = config
        self.outputs.setdefault(job_id, {})
        return JobPaths(config=f"/memory/configs/{job_id}.json", outputs=f"/memory/outputs/{job_id}")

    def read_events(self, job_id: str, *, offset: int, limit_bytes: int) -> tuple[bytes, ...] | None:
        data = self.outputs.get(job_id, {}).get(_EVENTS, b"")
        if data is None:
            return None
        bite = data[offset : offset + limit_bytes]
        *lines, rest = bite.split(b"\n")
        if lines:
            return tuple(line + b"\n" for line in lines)
        return (rest,) if len(rest) == limit_bytes else ()

    def append_log(self, job_id: str, lines: Sequence[str]) -> None:
        log = self._logs.setdefault(job_id, [])
        size_bytes = sum(len(line.encode()) + 1 for line in log)
        for line in lines:
            if log and log[-1] == _LOG_MARK:
                return
            size_bytes += len(line.encode()) + 1
            log.append(line if size_bytes <= self._log_limit_bytes else _LOG_MARK)

    def read_log(self, job_id: str, *, tail: int) -> Sequence[str]:
        return tuple(self._logs.get(job_id, ())[-tail:])

    def remove(self, job_id: str) -> None:
        for kept in (self.configs, self.outputs, self._logs):
            kept.pop(job_id, None)
