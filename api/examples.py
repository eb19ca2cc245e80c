"""Examples of whole bodies, composed from those of their fields."""

from __future__ import annotations

from typing import Any

from api.schemas.words import WORDS

Schema = dict[str, Any]


class Examples:
    """Of the shapes among a document's components."""

    def __init__(self, shapes: dict[str, Schema]) -> None:
        self._shapes = shapes

    def of(self, schema: Schema, word: str = "") -> Any:
        """Its own, else one made of its parts', else what `word`, its field's name, looks like everywhere.

        LookupError: there is none; whoever adds a field gives it one.
        """
        match schema:
            case {"example": example} | {"examples": [example, *_]} | {"const": example} | {"default": example}:
                return example
            case {"$ref": reference}:
                return self.of(self._shapes[reference.rpartition("/")[2]], word)
            case {"anyOf": [first, *_]}:
                return self.of(first, word)
            case {"properties": fields}:
                return {name: self.of(field, name) for name, field in fields.items()}
            case {"type": "array", "items": item}:
                return [self.of(item, word)]
            case {"propertyNames": key, "additionalProperties": value}:
                return {self.of(key, word): self.of(value, word)}
            case {"type": "null"}:
                return None
        return _of_word(schema, word)


def _of_word(schema: Schema, word: str) -> Any:
    if word in WORDS:
        return WORDS[word]
    if "enum" in schema:
        return schema["enum"][0]
    raise LookupError(f"no example of {word!r}: give the field one, or the word in api/schemas/words.py")
