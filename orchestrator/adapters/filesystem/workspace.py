"""Workspace on a local disk: configs/{job_id}.json, outputs/{job_id}/ and logs/{job_id}.log under the data folder."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.untrusted import open_directory, open_regular
from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.workspace import JobPaths

_EVENTS = "events.jsonl"
_LOG_MARK = b"[the log ends here: its size limit is reached]\n"


class FilesystemWorkspace:
    """Outputs belong to `owner`, the container's user; everything else to the orchestrator."""

    def __init__(self, data_dir: Path, *, owner: Owner, log_limit_bytes: int = 50 * 1024**2) -> None:
        self._configs = data_dir / "configs"
        self._outputs = data_dir / "outputs"
        self._logs = data_dir / "logs"
        self._owner = owner
        self._log_limit_bytes = log_limit_bytes

    def prepare(self, job_id: str, config: dict[str, Any]) -> JobPaths:
        outputs = self._outputs / job_id
        try:
            for folder in (self._configs, self._outputs, self._logs):
                folder.mkdir(parents=True, exist_ok=True)
            outputs.mkdir(mode=0o700, exist_ok=True)
            self._owner.take(outputs)
            _write_atomically(self._config(job_id), json.dumps(config, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            message = f"The job's folders could not be written: {error.strerror}. Check the data folder's disk."
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, message) from error
        return JobPaths(config=str(self._config(job_id)), outputs=str(outputs))

    def read_events(self, job_id: str, *, offset: int, limit_bytes: int) -> tuple[bytes, ...] | None:
        try:
            with (
                open_directory(self._outputs / job_id) as outputs,
                open_regular(_EVENTS, parent=outputs) as events,
            ):
                return None if events is None else _whole_lines(os.pread(events, limit_bytes, offset), limit_bytes)
        except FileNotFoundError:
            return ()

    def append_log(self, job_id: str, lines: Sequence[str]) -> None:
        if not lines:
            return
        with self._log(job_id).open("a+b") as log:
            size_bytes = log.seek(0, os.SEEK_END)
            if _ends_with_mark(log.fileno(), size_bytes):
                return
            for line in lines:
                encoded = line.encode("utf-8", errors="replace") + b"\n"
                size_bytes += len(encoded)
                if size_bytes > self._log_limit_bytes:
                    log.write(_LOG_MARK)
                    return
                log.write(encoded)

    def read_log(self, job_id: str, *, tail: int) -> Sequence[str]:
        try:
            with self._log(job_id).open(encoding="utf-8", errors="replace", newline="\n") as log:
                return tuple(line.removesuffix("\n") for line in deque(log, maxlen=tail))
        except FileNotFoundError:
            return ()

    def remove(self, job_id: str) -> None:
        delete_tree(self._outputs / job_id)
        self._config(job_id).unlink(missing_ok=True)
        self._log(job_id).unlink(missing_ok=True)

    def _config(self, job_id: str) -> Path:
        return self._configs / f"{job_id}.json"

    def _log(self, job_id: str) -> Path:
        return self._logs / f"{job_id}.log"


def _write_atomically(path: Path, text: str) -> None:
    """A reader sees the old file or the new one. Readable by everyone: the container's user is not ours."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.chmod(0o644)
    partial.replace(path)


def _whole_lines(data: bytes, limit_bytes: int) -> tuple[bytes, ...]:
    *lines, rest = data.split(b"\n")
    if lines:
        return tuple(line + b"\n" for line in lines)
    return (rest,) if len(rest) == limit_bytes else ()


def _ends_with_mark(log: int, size_bytes: int) -> bool:
    return size_bytes >= len(_LOG_MARK) and os.pread(log, len(_LOG_MARK), size_bytes - len(_LOG_MARK)) == _LOG_MARK
