"""What every answer has in common: shape of errors, headers, request ids, CORS."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from api.app import create_app
from api.options import ApiOptions
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.json_log import configure_json_log
from tests.unit.api.installation import Install, Installation

ORIGIN = "https://app.example"


def assert_error(answer: Any, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["ok"], body["error"]) == (status, False, code)
    assert body["message"]
    assert isinstance(body["details"], list)
    assert body["request_id"] == answer.headers["X-Request-ID"]


def test_an_unknown_path_is_a_404_of_the_common_shape(lorry: Installation) -> None:
    for path in ("/api/nothing", "/nothing", "/api/v1/training/jobs/a/b/c"):
        assert_error(lorry.client.get(path), 404, "NOT_FOUND")


def test_a_wrong_method_is_a_405_that_says_which_are_right(lorry: Installation) -> None:
    answer = lorry.client.delete("/api/training/submit")
    assert_error(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
def test_all_methods_of_a_path_are_named_though_each_has_a_route_of_its_own(lorry: Installation, prefix: str) -> None:
    allowed = [lorry.client.options(f"{prefix}/{path}").headers["Allow"] for path in ("training/jobs", "datasets/any")]
    assert allowed == ["GET, HEAD, POST", "DELETE, GET, HEAD"]


def test_options_answers_without_a_token(lorry: Installation) -> None:
    answer = lorry.client.options("/api/training/submit")
    assert (answer.status_code, answer.headers["Allow"]) == (204, "POST")


def test_a_broken_store_is_a_503_that_says_when_to_come_back(lorry: Installation) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreUnavailable("The job store did not answer.")

    lorry.services.jobs.list = broken  # type: ignore[assignment, method-assign]
    answer = lorry.client.get("/api/training/jobs", headers=lorry.as_user())
    assert_error(answer, 503, "STORE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_body_that_is_too_large_is_a_413(install: Install) -> None:
    lorry = install(max_body_bytes=1_000)
    body = json.dumps(lorry.body(name="x" * 2_000))
    headers = lorry.as_user() | {"Content-Type": "application/json"}
    assert_error(lorry.client.post("/api/training/submit", content=body, headers=headers), 413, "TOO_LARGE")
    in_chunks = (body[at : at + 100].encode() for at in range(0, len(body), 100))
    assert_error(lorry.client.post("/api/training/submit", content=in_chunks, headers=headers), 413, "TOO_LARGE")


def test_every_answer_has_the_security_headers(lorry: Installation) -> None:
    for path in ("/api/health", "/api/nothing", "/api/training/jobs"):
        headers = lorry.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("sent", "is_kept"), [("trace-1.A_b", True), ("a b", False), ("x" * 129, False), ("", False), ('"}', False)]
)
def test_a_request_id_is_kept_when_it_is_sane(lorry: Installation, sent: str, *, is_kept: bool) -> None:
    answer = lorry.client.get("/api/nothing", headers={"X-Request-ID": sent})
    assert (answer.headers["X-Request-ID"] == sent) is is_kept
    assert len(answer.headers["X-Request-ID"]) > 5


def test_health_tells_that_the_process_is_alive(lorry: Installation) -> None:
    body = lorry.client.get("/api/health").json()
    assert (body["ok"], body["service"]) == (True, "lorry")
    assert body["timestamp"].endswith("Z")


def test_ready_names_what_is_not(lorry: Installation) -> None:
    answer = lorry.client.get("/api/ready")
    assert_error(answer, 503, "NOT_READY")
    assert [detail["field"] for detail in answer.json()["details"]] == ["orchestrator"]
    lorry.engine_answers("cpu-0")
    answer = lorry.client.get("/api/ready")
    assert answer.status_code == 200
    assert all(check["ok"] for check in answer.json()["checks"])


def test_both_prefixes_answer_alike(lorry: Installation) -> None:
    job_id = lorry.submit()
    one, other = (
        lorry.client.get(f"{prefix}/training/jobs/{job_id}", headers=lorry.as_user()).json()
        for prefix in ("/api", "/api/v1")
    )
    assert one == other


class TestCors:
    def preflight(self, client: TestClient, origin: str) -> Any:
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        }
        return client.options("/api/training/submit", headers=headers)

    def test_a_listed_origin_may_call(self, install: Install) -> None:
        client = install(cors_origins=(ORIGIN,)).client
        answer = self.preflight(client, ORIGIN)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        answer = client.get("/api/training/jobs", headers={"Origin": ORIGIN})
        assert answer.status_code == 401
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]

    def test_any_other_may_not(self, install: Install) -> None:
        client = install(cors_origins=(ORIGIN,)).client
        assert "Access-Control-Allow-Origin" not in self.preflight(client, "https://evil.example").headers
        answer = client.get("/api/health", headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


@contextmanager
def json_log() -> Iterator[io.StringIO]:
    """The process's log, written where the test can read it."""
    handlers, level = logging.root.handlers[:], logging.root.level
    written = io.StringIO()
    with redirect_stderr(written):
        configure_json_log("INFO")
    try:
        yield written
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        structlog.reset_defaults()


def lines_of(log: io.StringIO, logger: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["logger"] == logger]


def test_an_unexpected_error_is_a_500_without_internals(lorry: Installation) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    lorry.services.jobs.list = broken  # type: ignore[assignment, method-assign]
    with json_log():
        answer = lorry.client.get("/api/training/jobs", headers=lorry.as_user())
    assert_error(answer, 500, "INTERNAL")
    assert "secret detail" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


class TestLog:
    def test_a_request_is_one_line_without_query_and_token(self, lorry: Installation) -> None:
        headers = lorry.as_user() | {"X-Request-ID": "trace-1"}
        with json_log() as log:
            lorry.client.get("/api/training/jobs?q=secret", headers=headers)
        (line,) = lines_of(log, "lorry.access")
        assert (line["method"], line["path"], line["status"]) == ("GET", "/api/training/jobs", 200)
        assert (line["request_id"], line["user_id"]) == ("trace-1", "alice")
        assert "secret" not in str(line)
        assert lorry.token() not in log.getvalue()

    def test_a_path_cannot_forge_a_line(self, lorry: Installation) -> None:
        with json_log() as log:
            lorry.client.get("/api/x%0A%7B%22forged%22:1%7D%1B[31m")
        assert len(lines_of(log, "lorry.access")) == 1

    def test_an_unexpected_error_is_logged_with_its_traceback(self, lorry: Installation) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("secret detail")

        lorry.services.jobs.list = broken  # type: ignore[assignment, method-assign]
        with json_log() as log:
            answer = lorry.client.get("/api/training/jobs", headers=lorry.as_user())
        (line,) = lines_of(log, "lorry.api")
        assert "RuntimeError: secret detail" in line["exception"]
        assert line["request_id"] == answer.json()["request_id"]


def test_a_rate_that_cannot_be_read_stops_the_start(lorry: Installation) -> None:
    with pytest.raises(ValueError, match="couldn't parse"):
        create_app(lorry.services, ApiOptions(submit_rate="ten a minute"))
