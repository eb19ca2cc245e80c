"""The queue over HTTP: one's own jobs in it, and how full the machine is."""

from __future__ import annotations

from typing import Any

from orchestrator.ports.record_store import EngineStatus
from tests.unit.api.installation import ALICE, BOB, Installation

QUEUE = "/api/training/queue"


def look(lorry: Installation, user: str = ALICE) -> dict[str, Any]:
    answer = lorry.client.get(QUEUE, headers=lorry.as_user(user))
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_an_empty_queue_says_so(lorry: Installation) -> None:
    lorry.engine_answers("GPU-0")
    assert look(lorry) == {
        "jobs": [],
        "waiting": 0,
        "active": 0,
        "devices": {"total": 1, "free": 1, "suspect": 0},
        "problem": None,
        "unreachable_since": None,
    }


def test_the_callers_jobs_come_in_the_order_of_starting(lorry: Installation) -> None:
    lorry.engine_answers()
    usual, urgent = lorry.submit(), lorry.submit(priority=2)
    held = {
        "reason": "no GPU or CPU slot is free",
        "explanation": "No job can start: this machine shows no GPU or CPU slot.",
        "freed_by": "Whoever runs this installation sees to that. It then starts by itself.",
        "waiting_since": look(lorry)["jobs"][0]["waiting_since"],
        "eta_seconds": None,
        "eta_low_seconds": None,
        "eta_high_seconds": None,
        "user_id": ALICE,
    }
    assert look(lorry)["jobs"] == [
        {"job_id": urgent, "position": 1, "priority": 2, **held},
        {"job_id": usual, "position": 2, "priority": 0, **held},
    ]


def test_another_users_jobs_are_counted_and_never_named(lorry: Installation) -> None:
    lorry.engine_answers()
    running, theirs = lorry.submit(BOB), lorry.submit(BOB)
    lorry.orchestrator.start(lorry.jobs.get(running))
    mine = lorry.submit()
    answer = lorry.client.get(QUEUE, headers=lorry.as_user())
    assert theirs not in answer.text
    assert BOB not in answer.text
    data = answer.json()["data"]
    assert ([job["job_id"] for job in data["jobs"]], data["waiting"], data["active"]) == ([mine], 2, 1)


def test_what_stops_everything_is_said_once_and_at_every_job(lorry: Installation) -> None:
    lorry.submit()
    assert look(lorry)["problem"] == "no orchestrator has looked at the queue yet"
    now = lorry.clock.now()
    problem = "the Docker Engine has not answered since 2026-01-01T00:00:00+00:00"
    lorry.records.save_engine_status(EngineStatus(last_pass_at=now, unreachable_since=now, problem=problem))
    data = look(lorry)
    assert data["problem"] == data["jobs"][0]["reason"] == problem
    assert data["unreachable_since"].endswith("Z")


def test_a_suspect_device_is_counted(lorry: Installation) -> None:
    lorry.engine_answers("GPU-0", "GPU-1")
    lorry.records.mark_suspect(["GPU-1"], reason="It failed.", job_id="some job", at=lorry.clock.now())
    assert look(lorry)["devices"] == {"total": 2, "free": 2, "suspect": 1}


def test_a_job_may_ask_for_several_gpus_but_not_for_more_than_there_are(lorry: Installation) -> None:
    lorry.engine_answers("GPU-0", "GPU-1")
    job_id = lorry.submit(gpus=2)
    shown = lorry.client.get(f"/api/training/jobs/{job_id}", headers=lorry.as_user()).json()["data"]
    assert shown["gpus"] == 2
    answer = lorry.client.post("/api/training/submit", json=lorry.body(gpus=3), headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (400, "TOO_MANY_GPUS")
    assert answer.json()["details"][0]["field"] == "gpus"


def test_the_queue_asks_for_a_token(lorry: Installation) -> None:
    assert lorry.client.get(QUEUE).status_code == 401
