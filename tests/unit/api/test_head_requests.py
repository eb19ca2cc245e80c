"""HEAD is answered wherever GET is."""

from __future__ import annotations

from tests.unit.api.installation import Installation


def test_head_has_the_headers_of_get_and_no_body(lorry: Installation) -> None:
    got = lorry.client.get("/api/training/jobs", headers=lorry.as_user())
    head = lorry.client.head("/api/training/jobs", headers=lorry.as_user())
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert head.headers["Content-Type"] == "application/json"


def test_head_of_a_file_tells_its_size_and_digest_without_the_file(lorry: Installation) -> None:
    artifact = lorry.artifact(lorry.submit(), b"w" * 1_000_000)
    path = f"/api/artifacts/{artifact.id}/download"
    head = lorry.client.head(path, headers=lorry.as_user())
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == "1000000"
    assert head.headers["ETag"] == f'"{artifact.sha256}"'


def test_head_is_guarded_like_get(lorry: Installation) -> None:
    assert lorry.client.head("/api/training/jobs").status_code == 401


def test_where_there_is_no_get_head_is_a_wrong_method(lorry: Installation) -> None:
    assert lorry.client.head("/api/training/submit", headers=lorry.as_user()).status_code == 405
