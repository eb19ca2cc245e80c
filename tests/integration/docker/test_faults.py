"""The engine's answers get lost, late or mixed up; what it did stays done."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from orchestrator.adapters.docker import DockerContainerRuntime
from orchestrator.domain.container import LABEL_ATTEMPT, LABEL_JOB, ContainerState
from orchestrator.domain.errors import RuntimeUnavailable
from tests.faults.engine_proxy import EngineProxy
from tests.waiting import eventually


@pytest.fixture
def proxy(engine, tmp_path):
    proxy = EngineProxy(tmp_path / "proxy.sock", engine.base_url.removeprefix("unix://"))
    yield proxy
    proxy.close()


@pytest.mark.docker
def test_a_create_whose_answer_was_lost_is_adopted_on_the_next_try(engine, connect, proxy, make_spec):
    runtime, spec = connect(base_url=proxy.url), make_spec()
    runtime.facts()
    proxy.lose("POST .*/containers/create")

    with pytest.raises(RuntimeUnavailable):
        runtime.create(spec)
    (left,) = eventually(engine.containers, what="the container whose answer was lost")

    assert runtime.create(spec).id == left["Id"]
    assert len(engine.containers()) == 1


@pytest.mark.docker
def test_a_start_whose_answer_was_lost_is_not_repeated(engine, connect, proxy, make_spec):
    runtime = connect(base_url=proxy.url)
    container = runtime.create(make_spec())
    proxy.lose(f"POST .*/containers/{container.id}/start")

    with pytest.raises(RuntimeUnavailable):
        runtime.start(container.id)
    started = eventually(
        lambda: (seen := runtime.inspect(container.id)).state is ContainerState.RUNNING and seen, what="the start"
    )
    runtime.start(container.id)

    assert runtime.inspect(container.id).started_at == started.started_at


@pytest.mark.docker
def test_an_engine_that_hangs_costs_a_call_its_timeout_and_is_found_again(connect, proxy):
    runtime = connect(base_url=proxy.url, timeout_seconds=1)
    runtime.facts()
    proxy.hang()
    began = time.monotonic()

    with pytest.raises(RuntimeUnavailable):
        runtime.snapshot()

    assert time.monotonic() - began < 10
    proxy.recover()
    assert runtime.snapshot().containers == ()


@pytest.mark.docker
def test_a_pass_over_many_containers_costs_one_timeout_when_the_engine_hangs(connect, proxy):
    runtime = connect(base_url=proxy.url, timeout_seconds=1)
    runtime.snapshot()
    proxy.hang()
    began = time.monotonic()

    for number in range(50):
        with pytest.raises(RuntimeUnavailable):
            runtime.inspect(f"{number:064}")

    assert time.monotonic() - began < 3
    proxy.recover()
    assert runtime.snapshot().containers == ()
    assert runtime.inspect("0" * 64) is None


def test_a_removal_has_more_time_than_a_look():
    container = f"/v1.41/containers/{'a' * 64}"
    answers = {"/version": [{"ApiVersion": "1.41"}], container: [{}], f"{container}/json": [{}]}
    with scripted_engine(answers, seconds=1.5) as url:
        runtime = DockerContainerRuntime(
            base_url=url, instance="lorry-tests", allowed_images=(), timeout_seconds=1, change_timeout_seconds=5
        )
        runtime.remove("a" * 64)

        with pytest.raises(RuntimeUnavailable):
            runtime.inspect("a" * 64)


def test_a_list_is_never_taken_for_that_of_an_engine_that_came_in_between():
    """The engine is restarted on another, empty data root between the list and the question for its id."""
    entry = {
        "Id": "a" * 64,
        "Names": ["/training-1"],
        "Labels": {LABEL_JOB: "1", LABEL_ATTEMPT: "1"},
        "State": "running",
        "Created": 1,
    }
    answers = {
        "/version": [{"ApiVersion": "1.41"}],
        "/v1.41/containers/json": [[entry], [entry], []],
        "/v1.41/info": [{"ID": "old"}, {"ID": "old"}, {"ID": "new"}],
    }
    with scripted_engine(answers) as url:
        runtime = DockerContainerRuntime(base_url=url, instance="lorry-tests", allowed_images=())

        first, second = runtime.snapshot(), runtime.snapshot()

    assert (first.engine_id, len(first.containers)) == ("old", 1)
    assert (second.engine_id, len(second.containers)) == ("new", 0)


@contextmanager
def scripted_engine(answers, *, seconds=0.0):
    """The address of a server that answers each path with its answers in turn; the last one stays.

    What concerns a container takes it `seconds`.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = self.path.partition("?")[0]
            if path.startswith("/v1.41/containers/aaa"):
                time.sleep(seconds)
            left = answers[path]
            body = json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # whoever asked has given up
                self.wfile.write(body)

        def do_DELETE(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"tcp://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
