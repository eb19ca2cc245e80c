"""Lineage, re-runs and differences over HTTP."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.lineage import as_metadata
from tests.factories import make_lineage
from tests.unit.api.installation import Installation

JOBS = "/api/training/jobs"


def ended(lorry: Installation, **changes: Any) -> Job:
    """A launched job that failed."""
    job_id = lorry.submit(**changes)
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    job = lorry.jobs.get(job_id)
    failed = job.ended(EndReason.TRAINER_FAILED, at=job.updated_at)
    return lorry.jobs.save(failed, lineage=make_lineage(job, model_version=3))


def test_a_lineage_is_the_chain_and_says_what_the_file_says(lorry: Installation) -> None:
    job = ended(lorry, trigger_words=["sks"])
    shown = lorry.client.get(f"{JOBS}/{job.id}/lineage", headers=lorry.as_user()).json()["data"]

    assert shown["dataset"]["items"][1] == {"id": "item-2", "sha256": "2" * 64}
    assert shown["dataset"]["item_count"] == 2
    assert shown["base_model"] == {"id": "lorry/tiny-sd15", "revision": "builtin-1"}
    assert shown["adapter"] == {"name": "cat", "version": 3, "sha256": None}
    assert (shown["config"]["seed"], shown["trigger_words"], shown["rerun_of"]) == (42, ["sks"], None)
    assert shown["metadata"] == as_metadata(make_lineage(job, model_version=3))
    assert [attempt["number"] for attempt in shown["attempts"]] == [1]


def test_a_job_that_was_never_launched_has_no_lineage(lorry: Installation) -> None:
    answer = lorry.client.get(f"{JOBS}/{lorry.submit()}/lineage", headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (404, "LINEAGE_NOT_FOUND")


def test_a_rerun_is_a_new_job_and_says_what_differs(lorry: Installation) -> None:
    job = ended(lorry)
    answer = lorry.client.post(f"{JOBS}/{job.id}/rerun", headers=lorry.as_user())

    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert (data["job"]["status"], data["job"]["retry_of"]) == ("queued", job.id)
    assert answer.headers["Location"] == f"{JOBS}/{data['job']['id']}"
    assert data["differences"] == [{"field": "image_digest", "before": "sha256:" + "a" * 64, "after": None}]


def test_a_rerun_sent_twice_with_one_key_is_one_job(lorry: Installation) -> None:
    job = ended(lorry)
    headers = {**lorry.as_user(), "Idempotency-Key": "once"}
    first, second = (lorry.client.post(f"{JOBS}/{job.id}/rerun", headers=headers).json() for _ in range(2))
    assert first["data"]["job"]["id"] == second["data"]["job"]["id"]


def test_reruns_count_as_submissions(install: Any) -> None:
    lorry = install(submit_rate="2/minute")
    job = ended(lorry)
    statuses = [lorry.client.post(f"{JOBS}/{job.id}/rerun", headers=lorry.as_user()).status_code for _ in range(2)]
    assert statuses == [201, 429]


def test_a_job_that_has_not_ended_cannot_be_run_once_more(lorry: Installation) -> None:
    answer = lorry.client.post(f"{JOBS}/{lorry.submit()}/rerun", headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (409, "JOB_NOT_ENDED")


def test_two_jobs_are_compared(lorry: Installation) -> None:
    dataset_id = lorry.dataset()
    one, other = (lorry.submit(dataset_id=dataset_id, config={"seed": seed}) for seed in (1, 2))
    answer = lorry.client.get(f"{JOBS}/{one}/diff", params={"with": other.upper()}, headers=lorry.as_user())

    assert answer.json()["data"] == [{"field": "config.seed", "before": 1, "after": 2}]


def test_a_comparison_needs_another_job_that_is_ones_own(lorry: Installation) -> None:
    one, theirs = lorry.submit(), lorry.submit("bob")
    answers = {
        other: lorry.client.get(f"{JOBS}/{one}/diff", params={"with": other}, headers=lorry.as_user()).status_code
        for other in (theirs, "no-id")
    }
    assert answers == {theirs: 404, "no-id": 404}
    missing = lorry.client.get(f"{JOBS}/{one}/diff", headers=lorry.as_user())
    assert (missing.status_code, missing.json()["details"][0]["field"]) == (400, "with")
