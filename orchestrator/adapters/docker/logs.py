"""Docker's log stream as lines: frames of eight header bytes, each with one timestamped line or a piece of one."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from orchestrator.ports.container_runtime import LogBite, LogLine

_HEADER = struct.Struct(">BxxxL")  # stream (1 stdout, 2 stderr), length
_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_CUT_MARK = " [line cut]"


class StreamCut(Exception):
    """The stream goes on, but no more of it will come."""


def read_bite(chunks: Iterable[bytes], limit_bytes: int) -> LogBite:
    """The lines in a stream until they together pass `limit_bytes`; `chunks` may end in StreamCut.

    The engine cuts a line at 16 KiB into frames with one timestamp. Only the first piece is kept, with a mark, and only
    it counts: a reader that resumes at a timestamp could not tell the others apart, and must get past them.
    """
    lines: list[LogLine] = []
    unfinished: dict[int, int] = {}  # stream -> index of its line that has no end yet
    size_bytes = 0
    try:
        for stream, payload in _frames(chunks):
            index = unfinished.pop(stream, None)
            if index is None:
                size_bytes += len(payload)
                if lines and size_bytes > limit_bytes:
                    return LogBite(tuple(lines), is_complete=False)
                index = len(lines)
                lines.append(_line(payload))
            elif not lines[index].text.endswith(_CUT_MARK):
                lines[index] = LogLine(lines[index].at, lines[index].text + _CUT_MARK)
            if not payload.endswith(b"\n"):
                unfinished[stream] = index
    except StreamCut:
        return LogBite(tuple(lines), is_complete=False)
    return LogBite(tuple(lines))


def cut_after(
    seconds: float, chunks: Iterable[bytes], *, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """The chunks, and StreamCut in place of the next once `seconds` have passed.

    A container that prints faster than we read would never let a stream end.
    """
    deadline = clock() + seconds
    for chunk in chunks:
        yield chunk
        if clock() > deadline:
            raise StreamCut


def since_parameter(at: str) -> str:
    """Docker's timestamp as the `seconds.nanoseconds` the log API takes; a float would round past a line."""
    seconds = int(datetime.fromisoformat(at[:19] + "+00:00").timestamp())
    nanoseconds = at[20:].rstrip("Z").ljust(9, "0")[:9]
    return f"{seconds}.{nanoseconds}"


def printable(text: str) -> str:
    """What a terminal would show of a line: a progress bar's last state, no colours, no control characters."""
    shown = text.rstrip("\r\n").rpartition("\r")[2]
    if shown.isprintable():
        return shown
    return _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", shown))


def _frames(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Complete frames; one that is cut off at the end is dropped, to be read again later."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= _HEADER.size:
            stream, length = _HEADER.unpack_from(buffer)
            end = _HEADER.size + length
            if len(buffer) < end:
                break
            yield stream, bytes(buffer[_HEADER.size : end])
            del buffer[:end]


def _line(payload: bytes) -> LogLine:
    at, _, text = payload.decode("utf-8", errors="replace").partition(" ")
    return LogLine(at, printable(text))
