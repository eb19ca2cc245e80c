"""PATCH on a job: its name, notes and tags, whatever its state."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.lifecycle import EndReason
from tests.unit.api.installation import BOB, Installation
from tests.unit.api.test_deleting_jobs import acts_on_jobs

JOBS = "/api/training/jobs"
SAID = ("name", "notes", "tags")


def describe(lorry: Installation, job_id: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = lorry.client.patch(f"{JOBS}/{job_id}", json=body, headers=lorry.as_user())
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()["data"]
    return {key: job[key] for key in SAID}


def test_a_job_is_named_noted_and_tagged_while_it_runs_and_after(lorry: Installation) -> None:
    job_id = lorry.submit(name="first")
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    assert describe(lorry, job_id, {"notes": "گربه\n\tand cats", "tags": ["keep", "گربه", "keep"]}) == {
        "name": "first",
        "notes": "گربه\n\tand cats",
        "tags": ["keep", "گربه"],
    }
    job = lorry.jobs.get(job_id)
    lorry.jobs.save(job.ended(EndReason.TRAINER_FAILED, at=job.updated_at))
    assert describe(lorry, job_id, {"name": "best", "notes": None}) == {
        "name": "best",
        "notes": None,
        "tags": ["keep", "گربه"],
    }
    assert describe(lorry, job_id, {"tags": []})["tags"] == []
    assert describe(lorry, job_id, {}) == {"name": "best", "notes": None, "tags": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"notes": "x" * 10_001}, "notes"),
        ({"notes": "a\x1b[2J"}, "notes"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["two\nlines"]}, "tags.0"),
        ({"tags": [str(number) for number in range(17)]}, "tags"),
        ({"tags": None}, "tags"),
        ({"name": ""}, "name"),
        ({"status": "completed"}, "status"),
    ],
)
def test_what_is_too_long_or_no_text_is_refused(lorry: Installation, body: dict[str, Any], field: str) -> None:
    answer = lorry.client.patch(f"{JOBS}/{lorry.submit()}", json=body, headers=lorry.as_user())
    assert (answer.status_code, [each["field"] for each in answer.json()["details"]]) == (400, [field])


def test_an_admin_who_describes_anothers_job_is_on_record_and_its_owner_is_not(lorry: Installation) -> None:
    theirs, own = lorry.submit(BOB), lorry.submit()
    describe(lorry, own, {"name": "mine"})
    lorry.client.patch(f"{JOBS}/{theirs}", json={"tags": ["looked at"]}, headers=lorry.as_admin())

    (entry,) = acts_on_jobs(lorry)
    assert (entry["action"], entry["subject"], entry["message"]) == ("job_described", theirs, "Changed: tags.")
    assert entry["data"]["owner"] == BOB
