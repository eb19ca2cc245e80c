"""A loopback server with canned answers, and the `lorry` command as a function."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.main import main

TOKEN = "lorry_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"


@dataclass(frozen=True)
class Seen:
    """One request as the server got it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Canned:
    status: int
    body: bytes
    headers: dict[str, str]


@dataclass
class CannedServer:
    """Answers each (method, path) with its answers in turn; the last one stays."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: dict[tuple[str, str], list[Canned]] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: Any, *, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault((method, f"/api{path}"), []).append(Canned(status, content, named))

    def data(self, path: str, data: Any, **extra: Any) -> None:
        self.answer("GET", path, {"ok": True, "data": data, **extra})

    def refuse(self, method: str, path: str, status: int, code: str, message: str, **extra: Any) -> None:
        body = {"ok": False, "error": code, "message": message, "details": extra.pop("details", [])}
        self.answer(method, path, body, status=status, **extra)

    def next_answer(self, method: str, path: str) -> Canned:
        answers = self.answers.get((method, path))
        if not answers:
            return Canned(404, b'{"ok": false, "error": "NOT_FOUND", "message": "nothing canned", "details": []}', {})
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def server(socket_enabled: None) -> Iterator[CannedServer]:
    canned = CannedServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            canned.seen.append(Seen(self.command, parts.path, parse_qs(parts.query), dict(self.headers), body))
            answer = canned.next_answer(self.command, parts.path)
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Requests are asserted on, not printed."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    canned.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield canned
    listener.shutdown()
    thread.join()
    listener.server_close()


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def lorry(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Ended]:
    """Run `lorry ARGS` in this process, with an empty home and a token."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("LORRY_TOKEN", TOKEN)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["lorry", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def make_job() -> Callable[..., dict[str, Any]]:
    """A running job as the API shows it; override what the test is about."""

    def make(**changes: Any) -> dict[str, Any]:
        job: dict[str, Any] = {
            "id": "11111111-1111-4111-8111-111111111111",
            "name": "my cat",
            "type": "lora",
            "dataset_id": "22222222-2222-4222-8222-222222222222",
            "base_model": "lorry/tiny-sd15",
            "notes": None,
            "tags": [],
            "status": "running",
            "attempt": 1,
            "container_id": "abc",
            "progress": 50.0,
            "phase": "train",
            "current_step": 60,
            "total_steps": 120,
            "eta_seconds": 75.0,
            "metrics": {"loss": 0.12345},
            "best": {"loss": {"value": 0.1, "step": 50}, "val_loss": None},
            "best_checkpoint": None,
            "queue": None,
            "end_reason": None,
            "error_message": None,
            "restorable_until": None,
            "created_at": "2026-11-21T03:00:00Z",
            "started_at": "2026-11-21T03:00:01Z",
            "completed_at": None,
        }
        return job | changes

    return make
