"""Plain training: start a diagnostic job, look at it, stop it, list them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.installation import ALICE, BOB, Installation

TRAIN = "/api/train"
ROWS = "x,y\n" + "\n".join(f"{n},{2 * n}" for n in range(20)) + "\n"


def start(lorry: Installation, user: str = ALICE, **body: Any) -> dict[str, Any]:
    answer = lorry.client.post(TRAIN, json=body, headers=lorry.as_user(user))
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def status(lorry: Installation, job_id: str, user: str = ALICE) -> Any:
    return lorry.client.get(f"{TRAIN}/status", params={"job_id": job_id}, headers=lorry.as_user(user))


def test_the_request_of_the_first_manual_starts_a_job(lorry: Installation) -> None:
    started = start(lorry, epochs=2, batch_size=16, lr=0.01)
    assert (started["status"], started["epochs"], started["batch_size"], started["lr"]) == ("queued", 2, 16, 0.01)
    assert started["total_steps"] == 2 * 231 // 16  # of 256 made-up rows, a tenth held out
    assert status(lorry, started["job_id"]).json()["data"] == started


def test_a_diagnostic_job_is_a_job_like_any_other(lorry: Installation) -> None:
    job_id = start(lorry)["job_id"]
    job = lorry.client.get(f"/api/training/jobs/{job_id}", headers=lorry.as_user()).json()["data"]
    assert (job["type"], job["base_model"], job["config"]["epochs"]) == ("diagnostic", "lorry/diagnostic", 10)
    listed = lorry.client.get("/api/training/jobs?type=diagnostic", headers=lorry.as_user()).json()
    assert [each["id"] for each in listed["data"]] == [job_id]
    assert lorry.client.get(f"/api/training/jobs/{job_id}/events", headers=lorry.as_user()).json()["total"] == 1


def test_rows_come_with_the_job_and_stay_beside_it(lorry: Installation) -> None:
    job_id = start(lorry, dataset=ROWS)["job_id"]
    table = lorry.jobs.table(job_id)
    assert table is not None
    assert (table.name, table.content, table.row_count) == ("rows.csv", ROWS, 21)
    lines = '{"x": 1, "y": 2}\n{"x": 2, "y": 4}\n'
    other = lorry.jobs.table(start(lorry, dataset=lines)["job_id"])
    assert other is not None
    assert other.name == "rows.jsonl"
    assert lorry.jobs.table(start(lorry)["job_id"]) is None


@pytest.mark.parametrize(
    "body",
    [
        {"epochs": 0},
        {"epochs": 1_001},
        {"epochs": "3"},
        {"epochs": 2.5},
        {"epochs": True},
        {"batch_size": 0},
        {"batch_size": 5_000},
        {"lr": 0},
        {"lr": 1.5},
        {"lr": "fast"},
        {"dataset": ""},
        {"dataset": "path/to/dataset.csv"},
        {"dataset": "/etc/passwd"},
        {"dataset": "../../etc/passwd\n"},
        {"dataset": "1,2\n\x00"},
        {"dataset": "1,2\n" * 200_000},
        {"command": "sh"},
    ],
)
def test_what_is_no_setting_or_no_rows_is_refused(lorry: Installation, body: dict[str, Any]) -> None:
    answer = lorry.client.post(TRAIN, json=body, headers=lorry.as_user())
    assert answer.status_code in (400, 413)
    assert lorry.client.get(f"{TRAIN}/jobs", headers=lorry.as_user()).json()["total"] == 0


def test_half_a_surrogate_pair_among_the_rows_is_refused(lorry: Installation) -> None:
    headers = {**lorry.as_user(), "Content-Type": "application/json"}
    answer = lorry.client.post(TRAIN, content=b'{"dataset": "1,2\\n\\ud800"}', headers=headers)
    assert answer.status_code == 400


def test_a_waiting_job_is_stopped_at_once_and_not_twice(lorry: Installation) -> None:
    job_id = start(lorry)["job_id"]
    stopped = lorry.client.post(f"{TRAIN}/stop", json={"job_id": job_id}, headers=lorry.as_user())
    assert (stopped.status_code, stopped.json()["data"]["status"]) == (200, "cancelled")
    assert lorry.client.post(f"{TRAIN}/stop", json={"job_id": job_id}, headers=lorry.as_user()).status_code == 200


def test_anothers_job_and_one_that_trains_an_adapter_are_unknown_here(lorry: Installation) -> None:
    bobs, lora = start(lorry, BOB)["job_id"], lorry.submit(ALICE)
    for job_id in (bobs, lora, "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11"):
        assert (status(lorry, job_id).status_code, status(lorry, job_id).json()["error"]) == (404, "JOB_NOT_FOUND")
        stop = lorry.client.post(f"{TRAIN}/stop", json={"job_id": job_id}, headers=lorry.as_user())
        assert stop.status_code == 404
    assert status(lorry, "x").status_code == 400
    assert status(lorry, bobs, BOB).json()["data"]["status"] == "queued"


def test_only_the_callers_diagnostic_jobs_are_listed_newest_first(lorry: Installation) -> None:
    start(lorry, BOB)
    lorry.submit(ALICE)
    first = start(lorry)["job_id"]
    lorry.clock.advance(1)
    second = start(lorry)["job_id"]
    listed = lorry.client.get(f"{TRAIN}/jobs", headers=lorry.as_user()).json()
    assert ([each["job_id"] for each in listed["data"]], listed["total"]) == ([second, first], 2)


def test_it_counts_as_a_submission(install: Any) -> None:
    lorry = install(submit_rate="1/minute")
    start(lorry)
    assert lorry.client.post(TRAIN, json={}, headers=lorry.as_user()).status_code == 429


def test_a_submission_cannot_ask_for_a_diagnostic_job(lorry: Installation) -> None:
    body = lorry.body(type="diagnostic")
    answer = lorry.client.post("/api/training/submit", json=body, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "type")


def test_a_start_that_is_sent_again_with_its_key_is_one_job(lorry: Installation) -> None:
    headers = lorry.as_user() | {"Idempotency-Key": "k-1"}
    first, again = (lorry.client.post(TRAIN, json={"dataset": ROWS}, headers=headers).json() for _ in range(2))
    assert first["data"]["job_id"] == again["data"]["job_id"]
    other = lorry.client.post(TRAIN, json={"dataset": ROWS, "epochs": 3}, headers=headers)
    assert (other.status_code, other.json()["error"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert lorry.client.get(f"{TRAIN}/jobs", headers=headers).json()["total"] == 1
