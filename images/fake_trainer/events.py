"""The event file: one JSON object a line, flushed line by line (configs/schemas/event.v1.json)."""

import json
from datetime import UTC, datetime
from pathlib import Path


class EventFile:
    def __init__(self, outputs: Path) -> None:
        self._file = (outputs / "events.jsonl").open("ab", buffering=0)

    def write(self, event_type: str, **fields: object) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"v": 1, "type": event_type, "at": at, **fields}, ensure_ascii=False)
        self.write_raw(line.encode() + b"\n")

    def write_raw(self, data: bytes) -> None:
        self._file.write(data)
