"""The examples in the document: every body has one, and none is stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from api.app import routed_app
from api.errors import status_of
from api.examples import Examples
from api.schemas.words import WORDS
from orchestrator.domain.errors import LaunchRefused, LorryError

_JSON = "application/json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(routed_app("0").openapi()))
    return document


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(operation and status, media type) of every JSON that is sent or answered."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for part, body in [("body", operation.get("requestBody", {})), *operation["responses"].items()]:
                if _JSON in body.get("content", {}):
                    yield f"{operation['operationId']} {part}", body["content"][_JSON]


def is_refusal(where: str) -> bool:
    return where.split()[1] >= "400" and where.split()[1] != "body"


def complaint(document: dict[str, Any], schema: dict[str, Any], example: Any) -> str | None:
    validator = Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=FormatChecker(["uuid"])
    )
    return next((error.message for error in validator.iter_errors(example)), None)


def test_every_body_and_every_success_shows_an_example_that_its_own_schema_allows(document: dict[str, Any]) -> None:
    shown = {where: content for where, content in bodies(document) if not is_refusal(where)}
    assert len(shown) > 90
    wrong = {where: complaint(document, content["schema"], content["example"]) for where, content in shown.items()}
    assert not {where: problem for where, problem in wrong.items() if problem is not None}


def test_every_refusal_shows_the_codes_that_come_with_its_status(document: dict[str, Any]) -> None:
    kinds = [kind for kind in _kinds(LorryError) if kind is not LaunchRefused]
    status_of_code = {kind.code: str(status_of(kind("")).value) for kind in kinds}
    for where, content in bodies(document):
        if is_refusal(where):
            for code, reference in content["examples"].items():
                example = document["components"]["examples"][reference["$ref"].rpartition("/")[2]]["value"]
                assert example["error"] == code
                assert complaint(document, content["schema"], example) is None
                assert where.endswith(status_of_code.get(code, "")), (where, code)


def _kinds(kind: type[LorryError]) -> Iterator[type[LorryError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


def test_no_word_is_without_a_field(document: dict[str, Any]) -> None:
    fields = {name for schema in document["components"]["schemas"].values() for name in schema.get("properties", {})}
    assert not WORDS.keys() - fields


def test_a_fields_own_example_wins_over_its_words() -> None:
    assert Examples({}).of({"properties": {"status": {"type": "string", "examples": ["ready"]}}}) == {"status": "ready"}


def test_a_field_without_any_example_stops_the_document_and_is_named() -> None:
    with pytest.raises(LookupError, match="'unheard_of'"):
        Examples({}).of({"properties": {"unheard_of": {"type": "string"}}})
