"""The API in a process of its own, as whoever starts it sees it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import httpx2

_PROJECT = Path(__file__).resolve().parents[3]
# "Within a second", on a machine that does other things too.
STOP_SECONDS = 15.0  # what it would wait for without being told to stop is a minute


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    token: str
    dataset_id: str
    log: list[str]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def submit(self) -> httpx2.Response:
        body = {"dataset_id": self.dataset_id, "type": "lora", "base_model": "lorry/tiny-sd15", "config": {}}
        return httpx2.post(f"{self.url}/api/training/submit", json=body, headers=self.headers, timeout=70)

    def stop(self) -> float:
        """SIGTERM; the seconds until the process has ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        return time.monotonic() - began


@contextmanager
def running_server(data_dir: Path) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.api.serving", str(data_dir)],
        cwd=_PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    log: list[str] = []
    threading.Thread(target=log.extend, args=(process.stderr,), daemon=True).start()
    try:
        facts: dict[str, Any] = json.loads(_line(process.stdout))
        ready = _line(process.stdout)
        assert ready.startswith("ready: http://127.0.0.1:"), ready
        yield Running(process, ready.removeprefix("ready: ").strip(), facts["token"], facts["dataset_id"], log)
    finally:
        process.kill()
        process.wait()


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()
