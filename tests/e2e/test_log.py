"""The log of an installation after a job's life: JSON line by line, ids where they belong, and no secret anywhere."""

from __future__ import annotations

import json

import httpx2
import pytest

from tests.e2e.installation import UNHURRIED

pytestmark = pytest.mark.docker

FORGED = "%E2%80%A8%7B%22message%22:%22forged%22%7D%1B[31m%E2%80%AE%0A"
GUESS = "lorry_" + "wrong" * 8


def test_a_jobs_life_is_told_with_its_ids_and_without_a_secret(install):
    installation = install(LORRY_LOG_LEVEL="DEBUG")
    server = installation.serve()
    user = installation.user("alice")
    sent = user.http.post(
        "/training/jobs",
        json={"dataset_id": user.upload(), "type": "lora", "base_model": "lorry/tiny-sd15", "config": {}},
        headers={"X-Request-ID": "the-submission", "Idempotency-Key": f"key-{user.token}"},
    )
    assert sent.status_code == 201, sent.text
    job_id = sent.json()["data"]["id"]
    user.wait(job_id, "completed")
    for headers in ({"Authorization": f"Bearer {GUESS}"}, {"Authorization": f"Basic {user.token}"}, {}):
        for query in (f"?access_token={user.token}", ""):
            url = f"{installation.url}/api/training/jobs{query}"
            assert httpx2.get(url, headers=headers, timeout=UNHURRIED, trust_env=False).status_code == 401
    assert installation.probe(f"/{FORGED}").status_code == 404
    installation.run("token", "revoke", "--user", "alice")
    assert server.stop() == 0

    text = server.output.read_text()
    lines = [json.loads(line) for line in text.split("\n") if line and not line.startswith("ready: ")]
    for secret in (user.token, user.token.removeprefix("lorry_"), GUESS):
        assert secret not in text
    assert not set("\u2028\x1b\u202e") & set(text)
    access = [line for line in lines if line["logger"] == "lorry.access"]
    assert access
    assert all(line["request_id"] for line in access)
    assert any(line["request_id"] == "the-submission" and line["status"] == 201 for line in access)
    steps = [line for line in lines if line["message"] in ("job running", "attempt ended")]
    assert {(line["job_id"], line["attempt"]) for line in steps} == {(job_id, 1)}
