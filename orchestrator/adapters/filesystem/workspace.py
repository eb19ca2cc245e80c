"""Workspace on a local disk: configs/{job_id}.json, outputs/{job_id}/, logs/{job_id}.log, and cache/ for users."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.filesystem.measuring import measure_tree
from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.restoring import restore
from orchestrator.adapters.filesystem.untrusted import open_directory, open_regular
from orchestrator.domain.diagnostic import DiagnosticTable
from orchestrator.domain.errors import LaunchRefused
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.workspace import EventsBite, JobPaths, LogPart

_EVENTS = "events.jsonl"
_CHECKPOINTS = "checkpoints"
_LOG_MARK = b"[the log ends here: its size limit is reached]\n"
_NOTHING = EventsBite((), 0)


class FilesystemWorkspace:
    """Outputs belong to `owner`, the container's user; everything else to the orchestrator."""

    def __init__(self, data_dir: Path, *, owner: Owner, log_limit_bytes: int = 50 * 1024**2) -> None:
        self._configs = data_dir / "configs"
        self._outputs = data_dir / "outputs"
        self._logs = data_dir / "logs"
        self._caches = data_dir / "cache"
        self._owner = owner
        self.log_limit_bytes = log_limit_bytes

    def prepare(self, job_id: str, config: dict[str, Any], table: DiagnosticTable | None = None) -> JobPaths:
        outputs = self._outputs / job_id
        table_file = self._configs / f"{job_id}.{table.name}" if table else None
        try:
            for folder in (self._configs, self._outputs, self._logs):
                folder.mkdir(parents=True, exist_ok=True)
            outputs.mkdir(mode=0o700, exist_ok=True)
            self._owner.take(outputs)
            _write_atomically(self._config(job_id), json.dumps(config, ensure_ascii=False, indent=2) + "\n")
            if table and table_file:
                _write_atomically(table_file, table.content)
        except OSError as error:
            message = f"The job's folders could not be written: {error.strerror}. Check the data folder's disk."
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, message) from error
        return JobPaths(
            config=str(self._config(job_id)), outputs=str(outputs), table=str(table_file) if table_file else None
        )

    def prepare_cache(self, user_id: str, *, limit_bytes: int) -> str:
        folder = self._cache(user_id)
        try:
            if measure_tree(folder) > limit_bytes:
                delete_tree(folder)
            self._caches.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._owner.take(folder)
        except OSError as error:
            message = f"The shared cache could not be prepared: {error.strerror}. Check the data folder's disk."
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, message) from error
        return str(folder)

    def read_events(self, job_id: str, *, offset: int, limit_bytes: int, is_final: bool = False) -> EventsBite:
        try:
            with (
                open_directory(self._outputs / job_id) as outputs,
                open_regular(_EVENTS, parent=outputs) as events,
            ):
                if events is None:
                    return _NOTHING
                data = os.pread(events, limit_bytes, offset)
                return EventsBite(_lines(data, limit_bytes, is_final=is_final), os.fstat(events).st_size)
        except (FileNotFoundError, NotADirectoryError):
            return _NOTHING

    def append_log(self, job_id: str, lines: Sequence[str], *, at_bytes: int) -> int:
        with self._log(job_id).open("ab") as log:
            size_bytes = min(at_bytes, os.fstat(log.fileno()).st_size)
            if size_bytes > self.log_limit_bytes:
                return size_bytes
            log.truncate(size_bytes)
            for line in lines:
                encoded = line.encode("utf-8", errors="replace") + b"\n"
                room = self.log_limit_bytes - size_bytes
                if len(encoded) > room:
                    return size_bytes + log.write(_cut(encoded, room) + _LOG_MARK)
                size_bytes += log.write(encoded)
            return size_bytes

    def read_log(self, job_id: str, *, tail: int) -> Sequence[str]:
        try:
            with self._log(job_id).open(encoding="utf-8", errors="replace", newline="\n") as log:
                return tuple(line.removesuffix("\n") for line in deque(log, maxlen=tail))
        except FileNotFoundError:
            return ()

    def log_part(self, job_id: str, *, after: int | None, limit: int) -> LogPart:
        try:
            with self._log(job_id).open(encoding="utf-8", errors="replace", newline="\n") as log:
                return _part((line.removesuffix("\n") for line in log), after, limit)
        except FileNotFoundError:
            return LogPart((), 1, 0)

    def log_lines(self, job_id: str, *, offset: int, limit_bytes: int) -> Sequence[bytes]:
        try:
            with self._log(job_id).open("rb") as log:
                return _lines(os.pread(log.fileno(), limit_bytes, offset), limit_bytes, is_final=False)
        except FileNotFoundError:
            return ()

    def outputs_bytes(self, job_id: str) -> int:
        return measure_tree(self._outputs / job_id)

    def restore_checkpoints(self, job_id: str, files: Mapping[str, str]) -> bool:
        below = {path.removeprefix(f"{_CHECKPOINTS}/"): source for path, source in files.items()}
        folder, staging = self._outputs / job_id / _CHECKPOINTS, self._outputs / f".restoring-{job_id}"
        try:
            return restore(folder, below, staging=staging, owner=self._owner)
        except OSError as error:
            message = f"The job's checkpoints could not be put back: {error.strerror}. Check the data folder's disk."
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, message) from error

    def remove(self, job_id: str) -> None:
        delete_tree(self._outputs / job_id)
        for config_or_table in self._configs.glob(f"{job_id}.*"):
            config_or_table.unlink(missing_ok=True)
        self._log(job_id).unlink(missing_ok=True)

    def _config(self, job_id: str) -> Path:
        return self._configs / f"{job_id}.json"

    def _cache(self, user_id: str) -> Path:
        """An identity provider's user id may be no file name."""
        return self._caches / hashlib.sha256(user_id.encode()).hexdigest()[:32]

    def _log(self, job_id: str) -> Path:
        return self._logs / f"{job_id}.log"


def _write_atomically(path: Path, text: str) -> None:
    """A reader sees the old file or the new one. Readable by everyone: the container's user is not ours."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.chmod(0o644)
    partial.replace(path)


def _part(lines: Iterable[str], after: int | None, limit: int) -> LogPart:
    """Every line is passed by, for all of them are to be counted; only those of the part are kept."""
    kept: deque[str] = deque(maxlen=limit)
    count = 0
    for count, line in enumerate(lines, start=1):
        if after is None or after < count <= after + limit:
            kept.append(line)
    first = count - len(kept) if after is None else min(after, count)
    return LogPart(tuple(kept), first + 1, count)


def _lines(data: bytes, limit_bytes: int, *, is_final: bool) -> tuple[bytes, ...]:
    *lines, rest = data.split(b"\n")
    if rest and (is_final or (not lines and len(rest) == limit_bytes)):
        return (*(line + b"\n" for line in lines), rest)
    return tuple(line + b"\n" for line in lines)


def _cut(encoded: bytes, room: int) -> bytes:
    """As much of a line as fits, its end included: afterwards the log is exactly full."""
    return encoded[: room - 1] + b"\n" if room else b""
