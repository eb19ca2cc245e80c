"""The server as whoever starts it sees it: one line on stdout, JSON on stderr, and a prompt end."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

import httpx2

from tests.factories import MIB
from tests.integration.api.running import STOP_SECONDS, Running
from tests.waiting import eventually


def test_it_takes_requests_once_it_says_so(server: Running) -> None:
    assert httpx2.get(f"{server.url}/api/health").json()["ok"] is True


def test_its_log_is_json_and_holds_neither_token_nor_query(server: Running) -> None:
    httpx2.get(f"{server.url}/api/training/jobs?q=secret", headers=server.headers)
    server.stop()
    lines = eventually(lambda: [json.loads(line) for line in server.log], what="a log")
    assert any(line["message"] == "request" and line["path"] == "/api/training/jobs" for line in lines)
    assert "secret" not in str(lines)
    assert server.token not in str(lines)


def test_it_ends_well_and_soon_when_nobody_is_connected(server: Running) -> None:
    assert server.stop() < STOP_SECONDS
    assert server.process.returncode == 0


def test_open_connections_do_not_hold_it(server: Running) -> None:
    with socket.create_connection(server.address) as idle, socket.create_connection(server.address) as slow:
        idle.sendall(b"")
        slow.sendall(b"POST /api/training/submit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        httpx2.get(f"{server.url}/api/health")
        assert server.stop() < STOP_SECONDS
    assert server.process.returncode == 0


def test_a_submission_that_waits_is_answered_before_it_ends(server: Running) -> None:
    answers: list[httpx2.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(server.submit()))
    waiting.start()
    jobs = f"{server.url}/api/training/jobs"
    eventually(lambda: httpx2.get(jobs, headers=server.headers).json()["total"] == 1, what="the stored job")
    assert server.stop() < STOP_SECONDS
    waiting.join(5)
    assert answers[0].json()["status"] == "pending"


def test_waiting_submissions_hold_no_thread(server: Running) -> None:
    """More wait than the server has threads, and it still answers."""
    threads = [threading.Thread(target=server.submit) for _ in range(60)]
    for thread in threads:
        thread.start()
    jobs = f"{server.url}/api/training/jobs?page_size=1"
    eventually(
        lambda: httpx2.get(jobs, headers=server.headers, timeout=30).json()["total"] == 60,
        within_seconds=60,
        what="60 stored jobs",
    )
    began = time.monotonic()
    assert httpx2.get(jobs, headers=server.headers, timeout=30).status_code == 200
    assert time.monotonic() - began < 5
    server.stop()
    for thread in threads:
        thread.join(10)


def test_an_upload_that_is_cut_off_half_way_leaves_no_file_and_no_dataset(server: Running) -> None:
    datasets = f"{server.url}/api/datasets"
    before = httpx2.get(datasets, headers=server.headers).json()["total"]
    form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="cat.png"\r\n\r\n'
    head = (
        "POST /api/datasets/upload HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Length: {8 * MIB}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection(server.address) as upload:
        upload.sendall(head.encode() + form + bytes(4 * MIB))
        eventually(lambda: temporary_files(server), what="what has come so far, on disk")
    eventually(lambda: not temporary_files(server), what="no trace of it")
    assert httpx2.get(datasets, headers=server.headers).json()["total"] == before
    assert not [line for line in server.log if "Traceback" in line]


def temporary_files(server: Running) -> list[str]:
    """Those that the server has open. They have no name from the beginning, so that a killed one leaves none."""
    targets = []
    for opened in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            targets.append(str(opened.readlink()))
    return [target for target in targets if target.startswith(gettempdir()) and target.endswith(" (deleted)")]
