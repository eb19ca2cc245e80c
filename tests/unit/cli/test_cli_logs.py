"""`lorry logs --follow` over a stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Lorry = Callable[..., Any]

STREAM = "/training/jobs/j/stream"


@pytest.fixture(autouse=True)
def _use_server(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORRY_URL", server.url)


def _stream(server: Any, *events: tuple[str, dict[str, Any], str]) -> None:
    frames = [f"event: {name}\ndata: {json.dumps(data)}\nid: {event_id}\n\n" for name, data, event_id in events]
    server.answer("GET", STREAM, "".join(frames).encode(), Content_Type="text/event-stream")


def _lines(*lines: str) -> dict[str, Any]:
    return {"job_id": "j", "lines": list(lines)}


def test_the_end_of_the_log_is_printed_and_then_all_that_comes(server: Any, lorry: Lorry) -> None:
    _stream(
        server,
        ("log", _lines("one", "two"), "1"),
        ("log", _lines("three"), "2"),
        ("progress", {"status": "running"}, "3"),
        ("log", _lines("four", "\x1b[31mfive"), "4"),
        ("done", {"status": "completed"}, "5"),
    )

    assert lorry("logs", "j", "-f", "--tail", "2").out == "two\nthree\nfour\n\ufffd[31mfive\n"


def test_a_connection_that_is_cut_costs_no_line_and_prints_none_twice(server: Any, lorry: Lorry) -> None:
    _stream(server, ("log", _lines("one"), "1"), ("progress", {"status": "running"}, "2"))
    _stream(server, ("log", _lines("two"), "3"), ("done", {"status": "completed"}, "4"))

    assert lorry("logs", "j", "--follow").out == "one\ntwo\n"
    assert [seen.query.get("after") for seen in server.seen] == [None, ["2"]]


def test_a_job_that_nobody_knows_is_an_error(server: Any, lorry: Lorry) -> None:
    server.refuse("GET", STREAM, 404, "JOB_NOT_FOUND", "There is no job j.")
    server.refuse("GET", "/training/jobs/j/logs", 404, "JOB_NOT_FOUND", "There is no job j.")

    ended = lorry("logs", "j", "--follow")

    assert ended.code != 0
    assert "There is no job j." in ended.err
