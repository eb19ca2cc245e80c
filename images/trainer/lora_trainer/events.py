"""The progress file: one JSON object a line, appended with a single write so that a reader never sees half a line."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

FILE_NAME = "events.jsonl"


class Events(Protocol):
    def emit(self, kind: str, **fields: object) -> None:
        """Tell whoever watches the job."""


class NoEvents:
    """Of a process that leaves the telling to another."""

    def emit(self, kind: str, **fields: object) -> None:
        """Nothing."""


class EventLog:
    """Appends to `events.jsonl`; a second attempt in the same outputs folder continues the file."""

    def __init__(self, outputs: Path) -> None:
        path = outputs / FILE_NAME
        ends_in_half_a_line = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if ends_in_half_a_line:
            os.write(self._descriptor, b"\n")

    def emit(self, kind: str, **fields: object) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"v": 1, "type": kind, "at": at, **fields}, ensure_ascii=False, allow_nan=False)
        os.write(self._descriptor, line.encode("utf-8", "replace") + b"\n")
