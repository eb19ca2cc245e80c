"""What a browser's EventSource makes of a stream's bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str

    @property
    def is_history(self) -> bool:
        """Not so where a job stands: a state, of which only the newest is told."""
        return self.name != "progress"


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream, as its lines arrive; one that was cut off is dropped, as the standard says."""
    name, data, last_id = "message", list[str](), ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(name, json.loads("\n".join(data)), last_id)
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last_id = value


def names(events: Iterable[Event]) -> list[str]:
    return [event.name for event in events]
