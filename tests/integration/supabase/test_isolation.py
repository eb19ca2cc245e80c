"""One user of a project walks the whole OpenAPI document with another's ids."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from orchestrator.adapters.sql import SqlDatasetStore, SqlRecordStore
from orchestrator.domain.artifact import Artifact, ArtifactKind
from tests.factories import NOW, make_dataset, make_item
from tests.integration.supabase.conftest import Installation, bearing, sign_up
from tests.integration.supabase.server import SupabaseServer

# Bodies without which a path would refuse the request for its form, before it looks at whose thing it is about.
BODIES: dict[str, Any] = {"PATCH": {"caption": "stolen"}}
LISTS = ("/api/training/jobs", "/api/datasets", "/api/training/active")


@pytest.fixture
def walker(supabase: SupabaseServer, user: str) -> dict[str, str]:
    """The headers of somebody who owns nothing."""
    return bearing(supabase.signer.mint(user))


@pytest.fixture
def victim(lorry: Installation, supabase: SupabaseServer) -> dict[str, Any]:
    """Somebody else: their headers, and the ids of what they own."""
    user_id = sign_up(supabase)
    headers = bearing(supabase.signer.mint(user_id))
    dataset = make_dataset(user_id=user_id, item_count=10, name="private pictures")
    item = make_item(dataset.id)
    SqlDatasetStore(lorry.lorry.database).add(dataset, [item])
    body = {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}, "dataset_id": dataset.id, "name": "private"}
    answer = lorry.client.post("/api/training/submit", json=body, headers=headers | {"Prefer": "respond-async"})
    job_id = answer.json()["job_id"]
    artifact = Artifact(
        id=str(uuid.uuid4()),
        job_id=job_id,
        attempt=1,
        kind=ArtifactKind.ADAPTER,
        name="adapter.safetensors",
        path="adapter.safetensors",
        size_bytes=7,
        sha256="0" * 64,
        created_at=NOW,
    )
    SqlRecordStore(lorry.lorry.database).add_artifacts([artifact])
    ids = {"job_id": job_id, "dataset_id": dataset.id, "artifact_id": artifact.id, "item_id": item.id}
    return {"headers": headers, "ids": ids}


def operations(lorry: Installation) -> list[tuple[str, str]]:
    document = lorry.client.get("/openapi.json").json()
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


def ask(lorry: Installation, method: str, path: str, ids: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
    """The answer's status, and its text with what differs from request to request taken out."""
    answer = lorry.client.request(method, path.format(**ids), headers=headers, json=BODIES.get(method))
    text = answer.text
    for name in ids.values():
        text = text.replace(name, "ID")
    parsed = json.loads(text)
    return answer.status_code, json.dumps({**parsed, "request_id": None})


def test_nothing_of_anothers_is_seen_downloaded_cancelled_or_inferred(
    lorry: Installation, walker: dict[str, str], victim: dict[str, Any]
) -> None:
    unknown = {name: str(uuid.uuid4()) for name in victim["ids"]}
    walked = [(method, path) for method, path in operations(lorry) if "{" in path]
    assert len(walked) >= 10
    for method, path in walked:
        theirs = ask(lorry, method, path, victim["ids"], walker)
        nobodys = ask(lorry, method, path, unknown, walker)
        assert nobodys[0] == 404, (method, path, nobodys)
        if "{dataset_id}" in path:
            assert theirs[0] == 403, (method, path, theirs)
        else:
            assert theirs == nobodys, (method, path)
    assert victim_sees_all(lorry, victim)


def test_no_list_and_no_search_shows_what_is_anothers(
    lorry: Installation, walker: dict[str, str], victim: dict[str, Any]
) -> None:
    for method, path in operations(lorry):
        if method == "GET" and "{" not in path and path != "/api/metrics":
            text = lorry.client.get(path, headers=walker).text
            assert not [name for name in victim["ids"].values() if name in text], path
            assert "private" not in text, path
    for query in ("?q=private", f"?dataset_id={victim['ids']['dataset_id']}"):
        assert lorry.client.get(f"/api/training/jobs{query}", headers=walker).json()["total"] == 0


def test_a_submission_with_anothers_dataset_or_key_makes_and_shows_nothing(
    lorry: Installation, walker: dict[str, str], victim: dict[str, Any]
) -> None:
    body = {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}, "dataset_id": victim["ids"]["dataset_id"]}
    for path in ("/api/training/submit", "/api/training/submit?dry_run=true", "/api/training/jobs"):
        answer = lorry.client.post(path, json=body, headers=walker)
        assert (answer.status_code, answer.json()["error"]) == (403, "DATASET_FORBIDDEN")
    assert lorry.client.get("/api/training/jobs", headers=walker).json()["total"] == 0


def victim_sees_all(lorry: Installation, victim: dict[str, Any]) -> bool:
    """The walk changed nothing: the job still waits."""
    answer = lorry.client.get(f"/api/training/jobs/{victim['ids']['job_id']}", headers=victim["headers"])
    job = answer.json()["data"]
    return bool(job["status"] == "queued" and job["name"] == "private")
