"""DELETE on a job: cancelled while it has not ended, gone with all that is its own once it has, and undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.adapters.sql import SqlTrash
from orchestrator.domain.deletion import UndoPolicy
from orchestrator.domain.errors import NotFound
from orchestrator.domain.lifecycle import EndReason
from tests.unit.api.installation import ALICE, BOB, UNDO, Installation
from tests.unit.api.test_registry import MODELS, register

JOBS = "/api/training/jobs"
DELETED = "/api/training/deleted"


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


def test_every_path_of_a_deleted_job_and_its_files_is_unknown(lorry: Installation) -> None:
    job_id = register(lorry, "cat")
    ids = {"job_id": job_id, "artifact_id": lorry.records.artifacts(job_id)[0].id}
    end(lorry, job_id)
    other = lorry.submit()
    lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user())

    answers = {
        path: lorry.client.get(path.format(**ids), params={"with": other}, headers=lorry.as_user()).status_code
        for path, methods in lorry.app.openapi()["paths"].items()
        if "get" in methods and ("{job_id}" in path or "{artifact_id}" in path) and "/admin/" not in path
    }
    assert len(answers) >= 15
    assert set(answers.values()) == {404}, answers


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
    lorry.client.post(f"{JOBS}/{job_id}/restore", headers=lorry.as_admin())

    entries = acts_on_jobs(lorry)
    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("job_restored", job_id),
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


def test_a_deleted_job_comes_back_as_it_was_within_its_time(lorry: Installation) -> None:
    job_id = register(lorry, "cat")
    artifact = lorry.records.artifacts(job_id)[0]
    end(lorry, job_id)
    before = lorry.client.get(f"{JOBS}/{job_id}", headers=lorry.as_user()).json()["data"]
    deleted = lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user()).json()["data"]
    assert deleted["restorable_until"] is not None
    listed = lorry.client.get(DELETED, headers=lorry.as_user()).json()["data"]
    assert [(job["id"], job["restorable_until"]) for job in listed] == [(job_id, deleted["restorable_until"])]
    assert lorry.client.get(JOBS, headers=lorry.as_user()).json()["total"] == 0

    lorry.clock.advance(UNDO.window.total_seconds())
    restored = lorry.client.post(f"{JOBS}/{job_id}/restore", headers=lorry.as_user())
    assert restored.json()["data"] | {"updated_at": None} == before | {"updated_at": None}
    for path in (f"{JOBS}/{job_id}", f"{JOBS}/{job_id}/events", f"/api/artifacts/{artifact.id}/download"):
        assert lorry.client.get(path, headers=lorry.as_user()).status_code == 200
    assert len(lorry.client.get(MODELS, headers=lorry.as_user()).json()["data"]) == 1
    assert lorry.client.get(DELETED, headers=lorry.as_user()).json()["data"] == []
    assert lorry.client.post(f"{JOBS}/{job_id}/restore", headers=lorry.as_user()).status_code == 200


def test_after_its_time_a_deleted_job_does_not_come_back(lorry: Installation) -> None:
    job_id = lorry.submit()
    end(lorry, job_id)
    lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user())
    lorry.clock.advance(UNDO.window.total_seconds() + 1)

    assert lorry.client.get(DELETED, headers=lorry.as_user()).json()["data"] == []
    assert lorry.client.post(f"{JOBS}/{job_id}/restore", headers=lorry.as_user()).status_code == 404


def test_nobody_but_its_owner_and_admins_knows_of_a_deleted_job(lorry: Installation) -> None:
    job_id = lorry.submit(BOB)
    end(lorry, job_id)
    lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user(BOB))

    assert lorry.client.get(DELETED, headers=lorry.as_user()).json()["data"] == []
    assert lorry.client.post(f"{JOBS}/{job_id}/restore", headers=lorry.as_user()).status_code == 404
    assert lorry.client.post(f"{JOBS}/{job_id}/restore", headers=lorry.as_admin()).status_code == 200


def test_where_no_time_is_left_for_it_a_deleted_job_is_removed_at_once(lorry: Installation) -> None:
    job_id = lorry.submit()
    end(lorry, job_id)
    lorry.services.jobs._undo = UndoPolicy(timedelta(0))
    assert lorry.client.get(f"{JOBS}/{job_id}", headers=lorry.as_user()).json()["data"]["undo_delete_seconds"] == 0
    deleted = lorry.client.delete(f"{JOBS}/{job_id}", headers=lorry.as_user()).json()["data"]

    assert deleted["restorable_until"] is None
    with pytest.raises(NotFound):
        SqlTrash(lorry.database).get(job_id)


def test_deleted_jobs_are_not_counted(lorry: Installation) -> None:
    kept, gone = lorry.submit(), lorry.submit()
    end(lorry, gone)
    lorry.client.delete(f"{JOBS}/{gone}", headers=lorry.as_user())
    lorry.clock.advance(1)

    assert lorry.client.get("/api/training/stats", headers=lorry.as_user()).json()["data"]["total"] == 1
    assert lorry.client.get("/api/training/stats", headers=lorry.as_user()).json()["data"]["jobs"]["failed"] == 0
    assert lorry.client.get(f"{JOBS}/{kept}", headers=lorry.as_user()).status_code == 200
