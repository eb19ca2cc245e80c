"""The HTTP client against a real loopback server."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Any

import pytest

from cli import errors
from cli.client import LorryClient
from cli.errors import CheckFailed, LorryApiError, ServerUnreachable

TOKEN = "lorry_secret"
REQUEST = {"dataset_id": "d", "type": "lora", "base_model": "lorry/tiny-sd15", "config": {}}
SUBMITTED = {"ok": True, "success": True, "job_id": "j", "status": "running", "message": "Started."}


@pytest.fixture
def client(server: Any) -> LorryClient:
    return LorryClient(server.url, TOKEN, repeat_after=(0.0, 0.0))


def artifact(content: bytes) -> Any:
    digest = hashlib.sha256(content).hexdigest()
    return {"id": "a1", "path": "my-cat.safetensors", "sha256": digest, "size_bytes": len(content)}


def test_the_token_travels_as_a_bearer_header(server: Any, client: LorryClient) -> None:
    server.data("/training/jobs/j", {"id": "j"})
    client.job("j")
    assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_submission_is_repeated_under_one_idempotency_key(server: Any, client: LorryClient) -> None:
    server.refuse("POST", "/training/submit", 503, "STORE_UNAVAILABLE", "The store is away.", Retry_After="0")
    server.answer("POST", "/training/submit", SUBMITTED)
    assert client.submit(REQUEST)["job_id"] == "j"
    keys = [seen.headers["Idempotency-Key"] for seen in server.seen]
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_two_submissions_have_two_keys(server: Any, client: LorryClient) -> None:
    server.answer("POST", "/training/submit", SUBMITTED)
    client.submit(REQUEST)
    client.submit(REQUEST)
    assert server.seen[0].headers["Idempotency-Key"] != server.seen[1].headers["Idempotency-Key"]


def test_a_refusal_is_not_repeated_and_carries_every_violation(server: Any, client: LorryClient) -> None:
    violations = [
        {"field": "config.steps", "message": "must be at most 10000", "value": 99999},
        {"field": "config.lora_rank", "message": "must be at least 4", "value": 1},
    ]
    server.refuse(
        "POST",
        "/training/submit",
        400,
        "VALIDATION_FAILED",
        "2 fields are wrong.",
        details=violations,
        X_Request_ID="r-7",
    )
    with pytest.raises(LorryApiError) as caught:
        client.submit(REQUEST)
    assert len(server.seen) == 1
    assert (caught.value.code, caught.value.status, caught.value.request_id) == ("VALIDATION_FAILED", 400, "r-7")
    assert str(caught.value).splitlines() == [
        "Could not submit the job: 2 fields are wrong. (VALIDATION_FAILED, request r-7)",
        "  config.steps: must be at most 10000",
        "  config.lora_rank: must be at least 4",
    ]


def test_a_server_that_stays_busy_ends_in_its_own_words(server: Any, client: LorryClient) -> None:
    server.refuse("GET", "/training/jobs/j", 503, "STORE_UNAVAILABLE", "The store is away.")
    with pytest.raises(LorryApiError, match="The store is away"):
        client.job("j")
    assert len(server.seen) == 3


def test_a_long_wait_that_the_server_asks_for_is_left_to_the_caller(server: Any, client: LorryClient) -> None:
    server.refuse("POST", "/training/submit", 429, "RATE_LIMITED", "10 a minute.", Retry_After="40")
    with pytest.raises(LorryApiError, match="10 a minute"):
        client.submit(REQUEST)
    assert len(server.seen) == 1


def test_an_upload_is_not_repeated(server: Any, client: LorryClient, tmp_path: Path) -> None:
    archive = tmp_path / "cats.zip"
    archive.write_bytes(b"PK")
    server.refuse("POST", "/datasets/upload", 503, "STORE_UNAVAILABLE", "The store is away.")
    with pytest.raises(LorryApiError):
        client.upload_dataset(archive, name="cats")
    assert len(server.seen) == 1


def test_no_server_is_a_sentence_with_the_address(socket_enabled: None) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ServerUnreachable, match=f"Could not list jobs: no answer from {url}"):
            LorryClient(url, TOKEN, repeat_after=(0.0,)).jobs()


def test_something_that_is_not_lorry_is_named_as_such(server: Any, client: LorryClient) -> None:
    server.answer("GET", "/training/jobs/j", b"<html>hello</html>")
    with pytest.raises(LorryApiError, match="does not answer like a Lorry server"):
        client.job("j")


def test_an_error_without_json_still_says_what_happened(server: Any, client: LorryClient) -> None:
    server.answer("GET", "/training/jobs/j", b"<html>bad gateway</html>", status=418)
    with pytest.raises(LorryApiError, match="Could not look at job j: the server answered 418"):
        client.job("j")


def test_empty_filters_are_not_sent(server: Any, client: LorryClient) -> None:
    server.data("/training/jobs", [], total=0, page=1)
    client.jobs(status=["running", "queued"], q=None, type=None)
    assert server.seen[0].query == {"page": ["1"], "page_size": ["20"], "status": ["running", "queued"]}


def test_a_download_arrives_whole_under_its_name(server: Any, client: LorryClient, tmp_path: Path) -> None:
    server.answer("GET", "/artifacts/a1/download", b"weights" * 1000)
    client.download(artifact(b"weights" * 1000), tmp_path / "adapter")
    assert (tmp_path / "adapter").read_bytes() == b"weights" * 1000
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_a_damaged_download_leaves_nothing(server: Any, client: LorryClient, tmp_path: Path) -> None:
    server.answer("GET", "/artifacts/a1/download", b"other")
    with pytest.raises(CheckFailed, match="sha256"):
        client.download(artifact(b"weights"), tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_is_tried_again(server: Any, client: LorryClient, tmp_path: Path) -> None:
    server.answer("GET", "/artifacts/a1/download", b"wei", Content_Length="7", Connection="close")
    server.answer("GET", "/artifacts/a1/download", b"weights")
    client.download(artifact(b"weights"), tmp_path / "adapter")
    assert (tmp_path / "adapter").read_bytes() == b"weights"


def test_a_download_goes_on_where_an_earlier_one_ended(server: Any, client: LorryClient, tmp_path: Path) -> None:
    (tmp_path / "adapter.part").write_bytes(b"wei")
    server.answer("GET", "/artifacts/a1/download", b"ghts", status=206)
    arrived: list[int] = []
    client.download(artifact(b"weights"), tmp_path / "adapter", on_bytes=arrived.append)
    assert (tmp_path / "adapter").read_bytes() == b"weights"
    sent = server.seen[0].headers
    assert (sent["Range"], sent["If-Range"]) == ("bytes=3-", f'"{artifact(b"weights")["sha256"]}"')
    assert (sum(arrived), [path.name for path in tmp_path.iterdir()]) == (7, ["adapter"])


def test_a_download_begins_anew_when_the_server_has_other_bytes(
    server: Any, client: LorryClient, tmp_path: Path
) -> None:
    (tmp_path / "adapter.part").write_bytes(b"old")
    server.answer("GET", "/artifacts/a1/download", b"weights", status=200)
    arrived: list[int] = []
    client.download(artifact(b"weights"), tmp_path / "adapter", on_bytes=arrived.append)
    assert ((tmp_path / "adapter").read_bytes(), sum(arrived)) == (b"weights", 7)


def test_what_had_arrived_whole_is_not_asked_for_again(server: Any, client: LorryClient, tmp_path: Path) -> None:
    (tmp_path / "adapter.part").write_bytes(b"weights")
    client.download(artifact(b"weights"), tmp_path / "adapter")
    assert ((tmp_path / "adapter").read_bytes(), server.seen) == (b"weights", [])


def test_an_upload_tells_how_many_bytes_went(server: Any, client: LorryClient, tmp_path: Path) -> None:
    archive = tmp_path / "cats.zip"
    archive.write_bytes(b"P" * 100_000)
    server.answer("POST", "/datasets/upload", {"ok": True, "data": {"id": "d"}}, status=201)
    went: list[int] = []
    client.upload_dataset(archive, name="cats", on_bytes=went.append)
    assert sum(went) == 100_000


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, errors.NotAuthenticated),
        (403, errors.NotAllowed),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (429, errors.TooManyRequests),
        (503, errors.Unavailable),
    ],
)
def test_a_program_can_tell_refusals_apart_by_their_kind(
    server: Any, client: LorryClient, status: int, kind: type[LorryApiError]
) -> None:
    server.refuse("GET", "/training/jobs/j", status, "ANY", "No.")
    with pytest.raises(kind):
        client.job("j")


def test_a_refused_download_says_why(server: Any, client: LorryClient, tmp_path: Path) -> None:
    server.refuse("GET", "/artifacts/a1/download", 404, "NOT_FOUND", "There is no such artifact.")
    with pytest.raises(LorryApiError, match=r"Could not download my-cat.safetensors: There is no such artifact"):
        client.download(artifact(b"weights"), tmp_path / "adapter")


def test_a_server_that_is_not_ready_names_its_failing_checks_at_once(server: Any, client: LorryClient) -> None:
    image = {"field": "image", "message": "The training image is missing."}
    server.refuse("GET", "/ready", 503, "NOT_READY", "The training image is missing.", details=[image])
    assert client.failing_checks() == {"image": "The training image is missing."}
    assert len(server.seen) == 1


def test_a_server_that_is_ready_has_none(server: Any, client: LorryClient) -> None:
    server.answer("GET", "/ready", {"ok": True, "checks": []})
    assert client.failing_checks() == {}
