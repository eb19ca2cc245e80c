"""Live streams, one connection at a time; `cli.watching` connects again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from cli.client.transport import Transport, refusal
from cli.errors import LorryApiError

ENDS = ("done", "error")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """What a server told (docs/streams.md). `id` is where to go on from; a heartbeat is called `ping`, and has none."""

    name: str
    data: dict[str, Any]
    id: str | None


class StreamCalls(Transport):
    def stream(self, job_id: str, *, after: str | None = None) -> Iterator[StreamEvent]:
        """What happens to a job, for as long as the connection lasts: from its beginning, behind the event `after`, or
        from `now` on."""
        doing = f"watch job {job_id}"
        params = {"after": after} if after else {}
        try:
            with self._http.stream("GET", f"/training/jobs/{job_id}/stream", params=params) as answer:
                if answer.is_error:
                    answer.read()
                    raise refusal(answer, doing)
                if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                    raise LorryApiError(
                        doing, code="NO_STREAM", message="there is no stream.", status=answer.status_code
                    )
                yield from _events(answer.iter_lines())
        except httpx2.HTTPError as error:
            raise self._unreachable(doing, error) from error


def _events(lines: Iterator[str]) -> Iterator[StreamEvent]:
    name, data, last_id = "", "", None
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data = value
        elif field == "id":
            last_id = value
        elif line.startswith(":"):
            yield StreamEvent("ping", {}, None)
        elif not line and data:
            yield StreamEvent(name, json.loads(data), last_id)
            name, data = "", ""
