"""Links that a browser downloads a file with by itself."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from orchestrator.domain.artifact import Artifact, ArtifactKind
from tests.unit.api.installation import ALICE, BOB, Installation
from tests.unit.api.test_artifacts import leave

BYTES = b"0123456789"


@pytest.fixture
def artifact(lorry: Installation) -> Artifact:
    return leave(lorry, lorry.submit(), "adapter.safetensors", ArtifactKind.ADAPTER, BYTES)


def link(lorry: Installation, artifact: Artifact, **query: str) -> str:
    answer = lorry.client.post(f"/api/artifacts/{artifact.id}/link", params=query, headers=lorry.as_user())
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["data"]["url"]
    return url


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_a_link_downloads_its_file_without_a_token(lorry: Installation, artifact: Artifact) -> None:
    answer = lorry.client.get(link(lorry, artifact))

    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="adapter.safetensors"'


def test_a_link_that_was_followed_fetches_the_rest_for_an_hour(lorry: Installation, artifact: Artifact) -> None:
    url = link(lorry, artifact)
    begun = lorry.client.get(url, headers={"Range": "bytes=0-3"})
    lorry.clock.advance(3_000)
    rest = {"Range": "bytes=4-", "If-Range": begun.headers["ETag"]}

    answer = lorry.client.get(url, headers=rest)

    assert (answer.status_code, begun.content + answer.content) == (206, BYTES)
    lorry.clock.advance(600)
    assert refusal(lorry.client.get(url, headers=rest)) == (401, "TICKET_INVALID")


def test_a_link_that_nobody_followed_is_soon_worth_nothing(lorry: Installation, artifact: Artifact) -> None:
    url = link(lorry, artifact)
    lorry.clock.advance(30)

    assert refusal(lorry.client.get(url)) == (401, "TICKET_INVALID")


def test_a_link_is_good_for_its_file_alone(lorry: Installation, artifact: Artifact) -> None:
    other = leave(lorry, lorry.submit(), "other.safetensors", ArtifactKind.ADAPTER)
    url = link(lorry, artifact)
    ticket = url.rpartition("=")[2]

    for path in (f"/api/artifacts/{other.id}/download", f"/api/artifacts/{artifact.id}/image", "/api/training/jobs"):
        assert lorry.client.get(path, params={"ticket": ticket}).status_code == 401
    assert lorry.client.get("/api/training/jobs", headers={"Authorization": f"Bearer {ticket}"}).status_code == 401
    assert lorry.client.get(url).status_code == 200


def test_nobody_gets_a_link_to_anothers_file(lorry: Installation, artifact: Artifact) -> None:
    path = f"/api/artifacts/{artifact.id}/link"

    assert refusal(lorry.client.post(path, headers=lorry.as_user(BOB))) == (404, "ARTIFACT_NOT_FOUND")
    assert lorry.client.post(path, headers=lorry.as_admin()).status_code == 200


def test_a_file_may_be_called_something_else(lorry: Installation, artifact: Artifact) -> None:
    answer = lorry.client.get(link(lorry, artifact, name="فنجان-2.safetensors"))

    assert "filename*=utf-8''%D9%81%D9%86" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("name", ["../adapter", "a\\b", "a\r\nSet-Cookie: x=1", ""])
def test_but_not_by_what_is_no_files_name(lorry: Installation, artifact: Artifact, name: str) -> None:
    for method, path in (("GET", "download"), ("POST", "link")):
        url = f"/api/artifacts/{artifact.id}/{path}"
        answer = lorry.client.request(method, url, params={"name": name}, headers=lorry.as_user())
        assert refusal(answer) == (400, "VALIDATION_FAILED")


def test_no_ticket_is_in_the_log(lorry: Installation, artifact: Artifact) -> None:
    with capture_logs() as entries:
        url = link(lorry, artifact)
        lorry.client.get(url)
        lorry.clock.advance(4_000)
        lorry.client.get(url)

    assert len(entries) == 3
    assert url.rpartition("=")[2] not in str(entries)


def test_a_made_up_ticket_counts_against_its_address(install: Any) -> None:
    lorry = install(failed_authentication_rate="3/minute")
    artifact = leave(lorry, lorry.submit(), "adapter.safetensors", ArtifactKind.ADAPTER)

    answers = [lorry.client.get(f"/api/artifacts/{artifact.id}/download?ticket=x") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_links_die_when_the_tokens_of_their_user_are_revoked(lorry: Installation, artifact: Artifact) -> None:
    url = link(lorry, artifact)
    lorry.client.get(url)
    lorry.tokens.revoke(ALICE)

    assert lorry.client.get(url).status_code == 401


def test_the_link_to_a_file_that_is_gone_says_so(lorry: Installation, artifact: Artifact) -> None:
    url = link(lorry, artifact)
    lorry.records.remove_artifacts([artifact.id])

    assert refusal(lorry.client.get(url)) == (404, "ARTIFACT_NOT_FOUND")
