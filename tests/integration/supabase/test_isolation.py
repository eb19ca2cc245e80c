"""One user of a project walks the whole OpenAPI document with another's ids."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from orchestrator.adapters.sql import SqlDatasetStore, SqlRecordStore
from orchestrator.adapters.sql.tables import models
from orchestrator.domain.artifact import Artifact, ArtifactKind
from tests.factories import NOW, make_dataset, make_item
from tests.integration.supabase.conftest import Installation, bearing, sign_up
from tests.integration.supabase.server import SupabaseServer

# Bodies without which a path would refuse the request for its form, before it looks at whose thing it is about. A new
# path that needs one fails the walk with 400 until its body stands here.
BODIES: dict[str, Any] = {
    "PATCH /api/datasets/{dataset_id}/items/{item_id}": {"caption": "stolen"},
    "PATCH /api/models/registered/{name}": {"name": "stolen"},
}
ADMINS = "/api/admin/"
STREAM = "text/event-stream"


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
    ids = {
        "job_id": job_id,
        "dataset_id": dataset.id,
        "artifact_id": artifact.id,
        "item_id": item.id,
        "name": register(lorry, user_id, job_id),
        "webhook_id": create(lorry, headers, "/api/webhooks", {"url": "https://private.example/hook"}),
        "experiment_id": create(lorry, headers, "/api/experiments", {"name": "private"}),
        "container_id": "0" * 64,
    }
    return {"headers": headers, "ids": ids}


def register(lorry: Installation, user_id: str, job_id: str) -> str:
    """The name of a registered model, which is nothing without its owner."""
    row = {
        "id": str(uuid.uuid4()),
        "user_id": user_id,
        "name": f"private-{uuid.uuid4()}",
        "version": 1,
        "job_id": job_id,
        "base_model": "lorry/tiny-sd15",
        "trigger_words": [],
        "created_at": NOW,
        "registered_at": NOW,
    }
    with lorry.lorry.database.write() as connection:
        connection.execute(models.insert().values(row))
    return str(row["name"])


def create(lorry: Installation, headers: dict[str, str], path: str, body: dict[str, Any]) -> str:
    """The id of a new thing."""
    answer = lorry.client.post(path, json=body, headers=headers)
    return str(answer.json()["data"]["id"]) if answer.is_success else str(uuid.uuid4())


def operations(lorry: Installation) -> list[tuple[str, str]]:
    """All but streams that never end for somebody who owns nothing."""
    document = lorry.client.get("/openapi.json").json()
    return [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "{" in path or STREAM not in operation["responses"].get("200", {}).get("content", {})
    ]


def ask(lorry: Installation, method: str, path: str, ids: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
    """The answer's status, and its text with what differs from request to request taken out."""
    compared = {"with": ids["job_id"]} if path.endswith("/diff") else None
    body = BODIES.get(f"{method} {path}")
    answer = lorry.client.request(method, path.format(**ids), params=compared, headers=headers, json=body)
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
    assert len(walked) >= 20
    for method, path in walked:
        assert set(re.findall(r"{(\w+)}", path)) <= set(victim["ids"]), f"{path}: the victim needs one of these"
        theirs = ask(lorry, method, path, victim["ids"], walker)
        nobodys = ask(lorry, method, path, unknown, walker)
        assert nobodys[0] == (403 if path.startswith(ADMINS) else 404), (method, path, nobodys)
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
