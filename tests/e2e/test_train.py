"""The diagnostic job over HTTP, in the real training image on the real engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.installation import Installation, User
from tests.waiting import eventually

pytestmark = [pytest.mark.docker, pytest.mark.trainer]

WITHIN_SECONDS = 120.0  # torch takes its time to load on a machine that does other things too
ROWS = "x,y\n" + "".join(f"{n / 40},{(n / 40) ** 2}\n" for n in range(40))


@pytest.fixture(scope="module")
def real_server(install_for_module: Any) -> Installation:
    installation: Installation = install_for_module(LORRY_IMAGE="training-image")
    installation.serve()
    installation.wait_until_ready()
    return installation


@pytest.fixture
def alice(real_server: Installation) -> User:
    return real_server.user("alice")


def start(user: User, **body: Any) -> str:
    answer = user.http.post("/train", json=body)
    assert answer.status_code == 201, answer.text
    job_id: str = answer.json()["data"]["job_id"]
    return job_id


def ended(user: User, job_id: str) -> Any:
    def look() -> Any:
        found = user.get("/train/status", job_id=job_id)
        return found if found["completed_at"] else None

    return eventually(look, within_seconds=WITHIN_SECONDS, what="the end of the diagnostic job")


@pytest.mark.parametrize("rows", [None, ROWS])
def test_a_diagnostic_job_learns_and_leaves_its_model(real_server: Installation, alice: User, rows: str | None) -> None:
    job_id = start(alice, epochs=5, batch_size=8, lr=0.01, dataset=rows)
    job = ended(alice, job_id)
    assert (job["status"], job["progress"], job["error_message"]) == ("completed", 100, None)
    assert (job["step"], job["epoch"]) == (job["total_steps"], 5)
    assert job["loss"] is not None
    (result,) = [event["data"] for event in alice.records(job_id, "events") if event["type"] == "result"]
    assert result["eval_loss_after"] < result["eval_loss_before"]
    (model,) = [file for file in alice.records(job_id, "artifacts") if file["kind"] == "model"]
    assert len(alice.http.get(f"/artifacts/{model['id']}/download").content) == model["size_bytes"]
    assert job_id in [each["job_id"] for each in alice.get("/train/jobs")]
    real_server.wait_for_no_container()


def test_rows_that_are_no_numbers_end_with_the_trainers_own_sentence(real_server: Installation, alice: User) -> None:
    job = ended(alice, start(alice, dataset="x,y\n" + "1,<script>\n" * 9))
    assert job["status"] == "failed"
    assert "rows.csv: line 2 is not 2 numbers" in job["error_message"]


def test_a_running_one_is_stopped(real_server: Installation, alice: User) -> None:
    job_id = start(alice, epochs=1000, batch_size=1)
    eventually(lambda: alice.get("/train/status", job_id=job_id)["step"] > 0, within_seconds=WITHIN_SECONDS)
    assert alice.http.post("/train/stop", json={"job_id": job_id}).status_code == 200
    assert ended(alice, job_id)["status"] == "cancelled"
    real_server.wait_for_no_container()
