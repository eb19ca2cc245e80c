"""Registered models over HTTP."""

from __future__ import annotations

from tests.unit.api.installation import ALICE, BOB, Installation

MODELS = "/api/models/registered"


def register(lorry: Installation, name: str, user: str = ALICE) -> str:
    """The id of a job whose adapter is registered."""
    job_id = lorry.submit(user, name=name)
    job = lorry.jobs.get(job_id)
    lorry.registry.reserve(job, name, at=job.created_at)
    artifact = lorry.artifact(job_id)
    lorry.jobs.save(job, adapter=artifact)
    return job_id


def test_models_are_listed_and_lead_to_their_files(lorry: Installation) -> None:
    job_id = register(lorry, "گربه")
    body = lorry.client.get(MODELS, headers=lorry.as_user()).json()

    assert body["total"] == 1
    (model,) = body["data"]
    assert (model["name"], model["version_count"], model["latest"]["version"]) == ("گربه", 1, 1)
    assert model["latest"]["job_id"] == job_id
    assert lorry.client.get(model["latest"]["download_url"], headers=lorry.as_user()).content == b"weights"


def test_a_models_versions_are_its_owners_alone(lorry: Installation) -> None:
    register(lorry, "cat")

    assert len(lorry.client.get(f"{MODELS}/cat", headers=lorry.as_user()).json()["data"]) == 1
    for method in ("GET", "DELETE"):
        answer = lorry.client.request(method, f"{MODELS}/cat", headers=lorry.as_user(BOB))
        assert (answer.status_code, answer.json()["error"]) == (404, "MODEL_NOT_FOUND")


def test_a_model_is_renamed(lorry: Installation) -> None:
    register(lorry, "cat")
    answer = lorry.client.patch(f"{MODELS}/cat", json={"name": "my cat"}, headers=lorry.as_user())

    assert [version["name"] for version in answer.json()["data"]] == ["my cat"]
    assert lorry.client.get(f"{MODELS}/my%20cat", headers=lorry.as_user()).status_code == 200
    assert lorry.client.get(f"{MODELS}/cat", headers=lorry.as_user()).status_code == 404


def test_a_name_that_is_none_is_refused(lorry: Installation) -> None:
    register(lorry, "cat")
    for body in ({"name": "a/b"}, {"name": ""}, {"name": "x" * 101}, {}, None):
        answer = lorry.client.patch(f"{MODELS}/cat", json=body, headers=lorry.as_user())
        assert answer.status_code == 400, body


def test_a_deleted_version_is_forgotten_and_its_file_stays(lorry: Installation) -> None:
    job_id = register(lorry, "cat")
    assert lorry.client.delete(f"{MODELS}/cat?version=2", headers=lorry.as_user()).status_code == 404
    deleted = lorry.client.delete(f"{MODELS}/cat?version=1", headers=lorry.as_user()).json()["data"]

    assert [version["version"] for version in deleted] == [1]
    assert lorry.client.get(MODELS, headers=lorry.as_user()).json()["data"] == []
    files = lorry.client.get(f"/api/training/jobs/{job_id}/artifacts", headers=lorry.as_user()).json()["data"]
    assert len(files) == 1
