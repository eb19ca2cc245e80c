"""One user walks the whole OpenAPI document with another's ids: what is another's answers like what never was.

Wherever an operation names a thing (path, query, body), it is asked for the other's and for one that nobody has, each
time with the walker's own things in every other place, so that no pairing of mine with theirs goes untried.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient

from orchestrator.adapters.sql import SqlDatasetStore, SqlRecordStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import models
from orchestrator.domain.artifact import Artifact, ArtifactKind
from tests.factories import NOW, make_dataset, make_item

ADMINS = "/api/admin/"
STREAM = "text/event-stream"

# Things under other names than their own.
ALSO_CALLED = {"with": "job_id", "ids": "job_id", "baseline": "job_id", "from_checkpoint": "artifact_id"}
# They name nothing that has an owner whom it is hidden from.
NOBODYS = {"modelId", "user_id"}
# What else an operation needs before it looks at whose thing it is about. A new one that needs a body fails the walk
# with 400 until its body stands here.
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/training/jobs/{job_id}/promote": {"checkpoint": "step-000500"},
    "POST /api/training/submit": {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}},
    "POST /api/training/jobs": {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}},
    "PATCH /api/datasets/{dataset_id}/items/{item_id}": {"caption": "stolen"},
    "PATCH /api/models/registered/{name}": {"name": "stolen"},
    "PATCH /api/training/jobs/{job_id}": {"name": "stolen"},
}


@dataclass(frozen=True)
class User:
    headers: Mapping[str, str]
    things: Mapping[str, str]  # one of each kind, by the name that paths have for it


@dataclass(frozen=True)
class Place:
    """Where an operation names a thing."""

    method: str
    path: str
    where: str  # path, query, body
    name: str
    is_required: bool

    @property
    def kind(self) -> str:
        return ALSO_CALLED.get(self.name, self.name)


class Walk:
    def __init__(self, client: TestClient, walker: User) -> None:
        self._client = client
        self.walker = walker
        self._document: dict[str, Any] = client.get("/openapi.json").json()
        self.places = [
            Place(method.upper(), path, where, name, is_required)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            for where, name, is_required in self._names_in(operation)
            if where == "path" or _names_a_thing(name)
        ]

    def ask(self, place: Place, value: str) -> tuple[int, dict[str, Any]]:
        """The answer's status and body, without what differs from one request and one id to the next."""
        named = self._own_things_beside(place) | {(place.where, place.name): value}
        query, body = ({name: text for (at, name), text in named.items() if at == where} for where in ("query", "body"))
        answer = self._client.request(
            place.method,
            place.path.format(**{name: text for (at, name), text in named.items() if at == "path"}),
            params=query,
            headers=dict(self.walker.headers),
            json=BODIES.get(f"{place.method} {place.path}", {}) | body or None,
        )
        return answer.status_code, json.loads(answer.text.replace(value, "ID")) | {"request_id": None}

    def lists(self) -> Iterator[tuple[str, str]]:
        """Path and text of everything that is shown without being named, but for streams that do not end."""
        for path, methods in self._document["paths"].items():
            content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
            if "get" in methods and "{" not in path and STREAM not in content:
                yield path, self._client.get(path, headers=dict(self.walker.headers)).text

    def _own_things_beside(self, place: Place) -> dict[tuple[str, str], str]:
        return {
            (each.where, each.name): self.walker.things[each.kind]
            for each in self.places
            if (each.method, each.path) == (place.method, place.path) and each.is_required
        }

    def _names_in(self, operation: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
        """Where, which, and whether it must be there; headers have keys that are the caller's own."""
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "header":
                yield parameter["in"], parameter["name"], parameter["required"]
        body = self._body_of(operation)
        for name in body.get("properties", {}):
            yield "body", name, name in body.get("required", [])

    def _body_of(self, operation: dict[str, Any]) -> dict[str, Any]:
        content = operation.get("requestBody", {}).get("content", {})
        schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
        for choice in schema.get("anyOf", []):
            schema = schema if choice == {"type": "null"} else choice
        if "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


def require_another_is_hidden(walk: Walk, victim: User) -> int:
    """How many places were tried. Fails for a place that nobody said which of the victim's things belongs in."""
    for place in walk.places:
        assert place.kind in victim.things, f"{place}: which thing of the victim's is this?"
        theirs, nobodys = (walk.ask(place, value) for value in (victim.things[place.kind], str(uuid.uuid4())))
        if place.path.startswith(ADMINS):
            assert theirs[0] == nobodys[0] == 403, (place, theirs, nobodys)
        elif place.kind == "dataset_id" and nobodys[0] != 200:
            assert (theirs[0], theirs[1]["error"], nobodys[0]) == (403, "DATASET_FORBIDDEN", 404), (place, theirs)
        else:
            assert theirs == nobodys, place
            assert nobodys[0] == 404 or place.where != "path", (place, nobodys)
            assert nobodys[0] != 400, (place, nobodys)
    return len(walk.places)


def require_not_listed(walk: Walk, victim: User, *, called: str) -> None:
    for path, text in walk.lists():
        assert called not in text, path
        assert not [thing for thing in victim.things.values() if thing in text], path


def give_things(
    client: TestClient, database: Database, user_id: str, headers: Mapping[str, str], *, called: str
) -> User:
    """Somebody who owns one of each kind, with `called` in the name of each."""
    dataset = make_dataset(user_id=user_id, item_count=10, name=f"{called} pictures")
    items = [make_item(dataset.id, file_name=f"{place:05d}.png") for place in range(1, 11)]
    SqlDatasetStore(database).add(dataset, items)

    def create(path: str, **body: Any) -> dict[str, Any]:
        answer = client.post(path, json=body, headers={**headers, "Prefer": "respond-async"})
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    submission = {**BODIES["POST /api/training/submit"], "dataset_id": dataset.id, "name": f"{called} job"}
    job_id = create("/api/training/submit", **submission)["job_id"]
    return User(
        headers,
        {
            "job_id": job_id,
            "dataset_id": dataset.id,
            "item_id": items[0].id,
            "artifact_id": _add_adapter(database, job_id, called),
            "name": _register(database, user_id, job_id, called),
            "webhook_id": create("/api/webhooks", url=f"https://{called}.example/hook")["data"]["id"],
            "experiment_id": create("/api/experiments", name=f"{called} experiment")["data"]["id"],
            "container_id": "c" * 64,
        },
    )


def _names_a_thing(name: str) -> bool:
    return name not in NOBODYS and (name in ALSO_CALLED or name.lower().endswith(("id", "_ids")))


def _add_adapter(database: Database, job_id: str, called: str) -> str:
    artifact = Artifact(
        id=str(uuid.uuid4()),
        job_id=job_id,
        attempt=1,
        kind=ArtifactKind.ADAPTER,
        name=f"{called}.safetensors",
        path=f"{called}.safetensors",
        size_bytes=7,
        sha256="0" * 64,
        created_at=NOW,
    )
    SqlRecordStore(database).add_artifacts([artifact])
    return artifact.id


def _register(database: Database, user_id: str, job_id: str, called: str) -> str:
    """The name of a registered model, which is nothing without its owner."""
    row = {
        "id": str(uuid.uuid4()),
        "user_id": user_id,
        "name": f"{called}-{uuid.uuid4()}",
        "version": 1,
        "job_id": job_id,
        "base_model": "lorry/tiny-sd15",
        "trigger_words": [],
        "created_at": NOW,
        "registered_at": NOW,
    }
    with database.write() as connection:
        connection.execute(models.insert().values(row))
    return str(row["name"])
