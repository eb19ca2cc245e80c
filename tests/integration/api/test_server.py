"""The server as whoever starts it sees it: one line on stdout, JSON on stderr, and a prompt end."""

from __future__ import annotations

import json
import socket
import threading
import time

import httpx2

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
