"""DELETE on a job: cancelled while it has not ended, gone with all that is its own once it has."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.lifecycle import EndReason
from tests.unit.api.installation import ALICE, BOB, Installation
from tests.unit.api.test_registry import MODELS, register

JOBS = "/api/training/jobs"


def end(lorry: Installation, job_id: str) -> None:
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    job = lorry.jobs.get(job_id)
    lorry.jobs.save(job.ended(EndReason.TRAINER_FAILED, at=job.updated_at))


def acts_on_jobs(lorry: Installation) -> list[dict[str, Any]]:
    """Of the audit log, newest first."""
    entries = lorry.client.get("/api/admin/audit", headers=lorry.as_admin()).json()["data"]
    return [entry for entry in entries if entry["action"].startswith("job_")]


def test_a_job_that_has_not_ended_is_cancelled(lorry: Installation) -> None:
    job_id = lorry.submit()
    deleted = lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user())

    assert deleted.json()["data"]["status"] == "cancelled"
    assert lorry.client.get(f"{JOBS}/{job_id}", headers=lorry.as_user()).status_code == 200


def test_an_ended_job_is_gone_with_its_records_files_and_version(lorry: Installation) -> None:
    job_id = register(lorry, "cat")
    artifact = lorry.records.artifacts(job_id)[0]
    end(lorry, job_id)

    assert lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user()).json()["data"]["status"] == "failed"
    for path in (f"{JOBS}/{job_id}", f"{JOBS}/{job_id}/events", f"/api/artifacts/{artifact.id}/download"):
        assert lorry.client.get(path, headers=lorry.as_user()).status_code == 404
    assert lorry.client.get(MODELS, headers=lorry.as_user()).json()["data"] == []
    assert lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user()).status_code == 404


def test_the_number_of_a_deleted_jobs_version_is_not_given_again(lorry: Installation) -> None:
    first = register(lorry, "cat")
    end(lorry, first)
    lorry.client.delete(f"{JOBS}/{first}", headers=lorry.as_user())
    again = lorry.jobs.get(lorry.submit())

    assert lorry.registry.reserve(again, "cat", at=again.created_at).version == 2


def test_what_an_admin_does_to_anothers_job_is_on_record(lorry: Installation) -> None:
    job_id = lorry.submit(BOB)
    end(lorry, job_id)
    lorry.client.post(f"{JOBS}/{job_id}/retry", headers=lorry.as_admin())
    lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_admin())
    lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_admin())

    entries = acts_on_jobs(lorry)
    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("job_deleted", job_id),
        ("job_cancelled", job_id),
        ("job_retried", job_id),
    ]
    assert all(entry["data"]["owner"] == BOB for entry in entries)


def test_what_owners_do_to_their_own_jobs_is_not(lorry: Installation) -> None:
    job_id = lorry.submit(ALICE)
    end(lorry, job_id)
    lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user())

    assert acts_on_jobs(lorry) == []
