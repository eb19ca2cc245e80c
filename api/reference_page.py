"""An OpenAPI document as a page for people, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

Document = dict[str, Any]
Operation = dict[str, Any]

_JSON = "application/json"
_ERROR_SHAPE = "ErrorBody"
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "multipleOf": "a multiple of",
    "minLength": "characters at least",
    "maxLength": "characters at most",
    "minItems": "items at least",
    "maxItems": "items at most",
}


def render_page(document: Document) -> str:
    """Operations by tag, then the shapes that they speak in."""
    parts = chain(
        ["# API", "Made from the routes by `make openapi`; not written by hand. Clients are generated from"],
        [
            "[openapi.json](openapi.json). A running server shows the same at `/docs`.",
            "",
            document["info"]["description"],
        ],
        *(_tag(document, tag) for tag in document["tags"]),
        ["", "## Shapes"],
        *(_shape(name, schema) for name, schema in document["components"]["schemas"].items() if _is_told(name)),
    )
    return "\n".join(parts) + "\n"


def _tag(document: Document, tag: dict[str, str]) -> Iterator[str]:
    yield from ("", f"## {tag['name'].capitalize()}", "", tag["description"])
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag["name"] in operation["tags"]:
                yield from _operation(method.upper(), path, operation)


def _operation(method: str, path: str, operation: Operation) -> Iterator[str]:
    yield from ("", f"### {operation['summary']}", "", f"`{method} {path}` (`{operation['operationId']}`)")
    if "description" in operation:
        yield from ("", operation["description"])
    if rows := list(map(_parameter, operation.get("parameters", ()))):
        yield from ("", "| parameter | in | type | meaning |", "|---|---|---|---|", *rows)
    if "requestBody" in operation:
        media_type, content = next(iter(operation["requestBody"]["content"].items()))
        yield from ("", f"Body ({media_type}): {_type(content['schema'])}.")
        if "example" in content:
            yield from ("", "```json", json.dumps(content["example"], indent=2, ensure_ascii=False), "```")
    yield from ("", *_answers(operation["responses"]))


def _parameter(parameter: dict[str, Any]) -> str:
    name = f"`{parameter['name']}`" + (" (required)" if parameter.get("required") else "")
    schema = parameter["schema"]
    return f"| {name} | {parameter['in']} | {_cell(_type(schema))} | {_cell(_meaning(schema, parameter))} |"


def _answers(responses: dict[str, Any]) -> Iterator[str]:
    for status, answer in responses.items():
        shapes = [_type(content["schema"]) for content in answer.get("content", {}).values() if "schema" in content]
        if _is_success(status):
            yield f"- {status}: {', '.join([*shapes, answer['description']])}"
    refusals = [status for status in responses if not _is_success(status)]
    if refusals:
        yield f"- {', '.join(refusals)}: {_link(_ERROR_SHAPE)}"


def _is_success(status: str) -> bool:
    return status < "400"


def _shape(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield from ("", f"### {name}")
    if "description" in schema:
        yield from ("", schema["description"])
    if "enum" in schema:
        yield from ("", f"One of {_type(schema)}.")
    if schema.get("properties"):
        required = set(schema.get("required", ()))
        yield from ("", "| field | type | meaning |", "|---|---|---|")
        for field, content in schema["properties"].items():
            mark = " (required)" if field in required and "Body" in name else ""
            yield f"| `{field}`{mark} | {_cell(_type(content))} | {_cell(_meaning(content, content))} |"


def _is_told(name: str) -> bool:
    """Envelopes are told by what is in them."""
    return not name.startswith(("Single_", "Listing_"))


def _meaning(schema: dict[str, Any], described: dict[str, Any]) -> str:
    parts = [described.get("description", "")]
    bounds: dict[str, Any] = next(
        (each for each in [schema, *schema.get("anyOf", ())] if _BOUNDS.keys() & each.keys()), {}
    )
    parts += [f"{words} {_number(bounds[key])}" for key, words in _BOUNDS.items() if key in bounds]
    if schema.get("default") not in (None, "", []):
        parts.append(f"default `{json.dumps(schema['default'])}`")
    return "; ".join(part.rstrip(".") for part in parts if part)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _reference(schema["$ref"].rpartition("/")[2])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(_type(each) for each in schema[several])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = schema.get("type", "any")
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _reference(name: str) -> str:
    envelope, _, item = name.rstrip("_").partition("_")
    if envelope == "Single":
        return f"`data`: {_item(item)}"
    if envelope == "Listing":
        return f"`data`: list of {_item(item)}"
    return _link(name)


def _item(name: str) -> str:
    return _link(name) if name[:1].isupper() else name.replace("str", "string")


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
