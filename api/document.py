"""The OpenAPI document as clients are to read it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api.examples import Examples
from api.schemas.envelope import documented, error_examples


def tidy_document(app: FastAPI) -> None:
    """Make `app.openapi()` tell what the routes really answer, in an order that people can read."""
    made_by_framework = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made_by_framework()
            examples = Examples(document["components"]["schemas"])
            document["components"]["examples"] = error_examples()
            for methods in document["paths"].values():
                for operation in methods.values():
                    if "requestBody" in operation:
                        operation["responses"].setdefault("413", documented(413))
                    operation["responses"] = _responses(operation["responses"])
                    _show(operation, examples)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's own documentation does


_JSON = "application/json"
_EVENT_STREAM = "text/event-stream"
# Of a stream the document tells what one event is.
_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "id": {"type": "string", "description": "Sent back as `Last-Event-ID`, the stream goes on after it."},
        "event": {"type": "string", "description": "What kind of event it is."},
        "data": {"type": "string", "description": "JSON."},
    },
}
_NOTHING_SAID = "Successful Response"  # the framework's words where a route has none


def _responses(responses: dict[str, Any]) -> dict[str, Any]:
    """By status. `default` only kept the framework from documenting a 422 that is never sent."""
    for answer in responses.values():
        if answer["description"] == _NOTHING_SAID:
            answer["description"] = "Done."
        if _EVENT_STREAM in answer.get("content", {}):
            answer["content"][_EVENT_STREAM] = {"schema": _EVENT}
    return {status: responses[status] for status in sorted(responses) if status != "default"}


def _show(operation: dict[str, Any], examples: Examples) -> None:
    """Every body that is JSON has an example; a route may have written its own."""
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        content = body.get("content", {}).get(_JSON)
        if content and not content.keys() & {"example", "examples"}:
            content["example"] = examples.of(content["schema"])
