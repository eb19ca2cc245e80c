"""The document clients are generated from."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestrator.domain.training import options
from tests.unit.api.installation import Installation


@pytest.fixture
def document(lorry: Installation) -> dict[str, Any]:
    document: dict[str, Any] = lorry.client.get("/openapi.json").json()
    return document


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]


def test_every_operation_has_an_id_of_its_own_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    listed = operations(document)
    ids = [operation["operationId"] for _, operation in listed]
    assert len(set(ids)) == len(ids)
    assert all(operation["summary"] and operation["tags"] for _, operation in listed)


def test_every_guarded_operation_documents_the_common_error(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        assert "422" not in operation["responses"], path
        if "security" in operation:
            schema = operation["responses"]["401"]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorBody"}
            assert "429" in operation["responses"]


def test_paths_are_documented_once(document: dict[str, Any]) -> None:
    assert not [path for path in document["paths"] if not path.startswith("/api/") or path.startswith("/api/v1/")]


def test_names_that_match_no_pattern_are_refused_by_the_document_too(document: dict[str, Any]) -> None:
    shown = [
        part for schema in document["components"]["schemas"].values() for part in schema.get("properties", {}).values()
    ]
    patterned = [part for part in shown if "patternProperties" in part]
    assert patterned
    assert all(part["additionalProperties"] is False for part in patterned)


def test_every_training_option_shows_its_range_default_and_meaning(document: dict[str, Any]) -> None:
    shown = document["components"]["schemas"]["TrainingOptions"]
    assert shown["additionalProperties"] is False
    assert list(shown["properties"]) == list(options())
    for name, (field, option) in options().items():
        schema = shown["properties"][name]
        numeric = next((part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"), schema)
        assert schema["description"] == option.description
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        assert schema.get("default") == default
        if option.minimum is not None:
            assert (numeric["minimum"], numeric["maximum"]) == (option.minimum, option.maximum)


def test_the_documented_example_is_accepted(lorry: Installation, document: dict[str, Any]) -> None:
    example = document["components"]["schemas"]["SubmitBody"]["example"]
    body = example | {"dataset_id": lorry.dataset()}
    assert lorry.client.post("/api/training/submit", json=body, headers=lorry.as_user()).status_code == 200


def test_whatever_takes_a_query_documents_that_it_may_be_wrong(document: dict[str, Any]) -> None:
    asked = [
        (name, operation)
        for name, operation in operations(document)
        if any(parameter["in"] == "query" for parameter in operation.get("parameters", []))
    ]
    assert asked
    assert [name for name, operation in asked if "400" not in operation["responses"]] == []


def test_whatever_takes_a_body_documents_that_it_may_be_too_large(document: dict[str, Any]) -> None:
    with_body = [operation for _, operation in operations(document) if "requestBody" in operation]
    assert with_body
    assert all("TOO_LARGE" in str(operation["responses"]["413"]) for operation in with_body)


def test_no_status_is_left_to_a_default(document: dict[str, Any]) -> None:
    assert not [path for path, operation in operations(document) if "default" in operation["responses"]]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_pages_for_people_load_nothing_from_elsewhere(lorry: Installation, path: str) -> None:
    page = lorry.client.get(path)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Content-Security-Policy" not in page.headers
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/"), address
        assert lorry.client.get(address).status_code == 200
