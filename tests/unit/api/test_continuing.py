"""Continuing an ended job over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.artifact import ArtifactKind
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import EndReason
from tests.factories import make_artifact, make_lineage
from tests.unit.api.installation import BOB, Installation

JOBS = "/api/training/jobs"


def stopped(lorry: Installation, **changes: Any) -> Job:
    """A cancelled job with a checkpoint of step 437."""
    job_id = lorry.submit(**changes)
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    job = lorry.jobs.get(job_id)
    path = "checkpoints/step-000437/state.safetensors"
    lorry.records.add_artifacts([make_artifact(job, path=path, kind=ArtifactKind.CHECKPOINT)])
    return lorry.jobs.save(
        job.ended(EndReason.CANCEL_REQUESTED, at=job.updated_at), lineage=make_lineage(job, model_version=3)
    )


def go_on(lorry: Installation, job: Job, body: Any = None, user: str = "alice", **query: Any) -> Any:
    return lorry.client.post(f"{JOBS}/{job.id}/continue", json=body, params=query, headers=lorry.as_user(user))


def test_a_continued_job_is_a_new_one_that_says_what_it_goes_on_from(lorry: Installation) -> None:
    first = stopped(lorry)
    answer = go_on(lorry, first)

    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert (data["checkpoint"], data["step"], data["steps"]) == ("step-000437", 437, 1000)
    job = data["job"]
    assert (job["status"], job["checkpoint_step"]) == ("queued", 437)
    assert job["continues"] == {"job_id": first.id, "checkpoint": "step-000437", "step": 437}
    assert answer.headers["Location"] == f"{JOBS}/{job['id']}"
    assert data["remarks"] == ["It ends as a job of 1,000 steps would that was never interrupted."]
    assert (
        lorry.client.get(f"{JOBS}/{job['id']}", headers=lorry.as_user()).json()["data"]["continues"] == job["continues"]
    )


def test_a_dry_run_says_the_same_and_stores_nothing(lorry: Installation) -> None:
    first = stopped(lorry, config={"lr_scheduler": "cosine"})
    before = lorry.client.get(JOBS, headers=lorry.as_user()).json()["total"]
    answer = go_on(lorry, first, {"steps": 2000}, dry_run=True)

    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["job"], data["steps"]) == (None, 2000)
    assert {"field": "config.steps", "before": 1000, "after": 2000} in data["differences"]
    assert "stretched over 2,000 steps" in data["remarks"][0]
    assert lorry.client.get(JOBS, headers=lorry.as_user()).json()["total"] == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"steps": 437}, "steps"),
        ({"steps": 10_001}, "steps"),
        ({"steps": "many"}, "steps"),
        ({"from_checkpoint": "step-000001"}, "from_checkpoint"),
        ({"from_checkpoint": "../etc"}, "from_checkpoint"),
        ({"learning_rate": 1}, "learning_rate"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_its_field(lorry: Installation, body: dict[str, Any], field: str) -> None:
    answer = go_on(lorry, stopped(lorry), body)
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, field)


def test_it_counts_as_a_submission_once_a_key_and_a_plan_does_not(install: Any) -> None:
    lorry = install(submit_rate="3/minute")
    first = stopped(lorry)
    assert go_on(lorry, first, dry_run=True).status_code == 200
    headers = {**lorry.as_user(), "Idempotency-Key": "once"}
    one, again = (lorry.client.post(f"{JOBS}/{first.id}/continue", headers=headers).json() for _ in range(2))
    assert one["data"]["job"]["id"] == again["data"]["job"]["id"]
    assert go_on(lorry, first).status_code == 429


def test_another_users_job_is_unknown(lorry: Installation) -> None:
    assert go_on(lorry, stopped(lorry), user=BOB).status_code == 404
