"""SIGTERM ends either half within seconds, whatever it is doing, and leaves jobs running."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time

import httpx2
import pytest

from tests.e2e.installation import Process
from tests.waiting import DEADLINE_SECONDS, eventually

pytestmark = pytest.mark.docker

# The longest that a step which hangs is waited for, and room for a machine that does other things too.
STOP_SECONDS = 15.0


def stop_twice(process: Process) -> float:
    """Seconds from the first of two signals to the end."""
    began = time.monotonic()
    process.popen.send_signal(signal.SIGTERM)
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(DEADLINE_SECONDS) == 0, process.output.read_text()
    return time.monotonic() - began


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_two_signals_end_both_halves_in_one_process_and_the_job_goes_on(install):
    installation = install()
    server = installation.serve()
    user = installation.user("alice")
    job_id = user.start("fake:hang=1")
    user.wait(job_id, "running")

    assert stop_twice(server) < STOP_SECONDS
    assert installation.inspect(job_id)["State"]["Running"]
    assert "Traceback" not in server.output.read_text()


def test_two_processes_end_one_by_one_and_what_they_measured_was_to_be_seen(install):
    port = a_free_port()
    installation = install(LORRY_METRICS_PORT=str(port))
    api = installation.serve("api")
    orchestrator = installation.start("orchestrate")
    user = installation.user("alice")
    job_id = user.start("fake:hang=1")
    user.wait(job_id, "running")
    seen_by_api = installation.probe("/metrics").text
    assert re.search(r'^lorry_jobs\{status="running"\} 1.0$', seen_by_api, re.MULTILINE)
    assert "lorry_engine_reachable 1.0" in seen_by_api
    measured = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    assert "lorry_job_start_delay_seconds_count 1.0" in measured

    assert stop_twice(orchestrator) < STOP_SECONDS
    assert installation.inspect(job_id)["State"]["Running"]
    assert user.job(job_id)["status"] == "running"
    assert stop_twice(api) < STOP_SECONDS
    assert "Traceback" not in orchestrator.output.read_text() + api.output.read_text()


@pytest.mark.parametrize("command", ["serve", "orchestrate"])
def test_an_engine_that_takes_calls_and_never_answers_does_not_keep_a_process(install, tmp_path, command):
    called = threading.Event()
    path = str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        kept: list[socket.socket] = []

        def accept() -> None:
            kept.append(listener.accept()[0])
            called.set()

        threading.Thread(target=accept, daemon=True).start()
        process = install(LORRY_DOCKER_HOST=f"unix://{path}").start(command)
        assert called.wait(DEADLINE_SECONDS)

        assert stop_twice(process) < STOP_SECONDS
        kept[0].close()


def test_a_standby_ends_at_once(install):
    installation = install()
    installation.serve()
    standby = installation.start("orchestrate")
    standby.wait_for(re.compile("standby"))

    assert stop_twice(standby) < STOP_SECONDS


def test_ready_says_so_when_the_orchestrator_has_never_been_there(install):
    installation = install()
    installation.serve("api")

    answer = eventually(lambda: installation.probe("/ready"))

    assert answer.status_code == 503
    assert [detail["field"] for detail in answer.json()["details"]] == ["orchestrator"]
    assert "Start one with `lorry serve` or `lorry orchestrate`." in answer.json()["message"]
