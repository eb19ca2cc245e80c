"""What a configuration value may be. A rule answers with the problem in words, or None."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

MAX_SHOWN_CHARACTERS = 60


class Rule(Protocol):
    def problem(self, value: object) -> str | None: ...


def option(rule: Rule, **default: Any) -> Any:
    """A dataclass field that carries its rule; without a default the key must be present."""
    return field(metadata={"rule": rule}, **default)


@dataclass(frozen=True, slots=True)
class Number:
    low: float
    high: float

    def problem(self, value: object) -> str | None:
        if isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high:
            return None
        return _must_be(f"a number from {self.low:g} to {self.high:g}", value)


@dataclass(frozen=True, slots=True)
class Whole:
    low: int
    high: int
    multiple_of: int = 1

    def problem(self, value: object) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and self._holds(value):
            return None
        multiple = f", a multiple of {self.multiple_of}" if self.multiple_of > 1 else ""
        return _must_be(f"a whole number from {self.low} to {self.high}{multiple}", value)

    def _holds(self, value: int) -> bool:
        return self.low <= value <= self.high and value % self.multiple_of == 0


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str | int, ...]

    def problem(self, value: object) -> str | None:
        if not isinstance(value, bool) and value in self.values:
            return None
        return _must_be(" or ".join(repr(allowed) for allowed in self.values), value)


@dataclass(frozen=True, slots=True)
class Flag:
    def problem(self, value: object) -> str | None:
        return None if isinstance(value, bool) else _must_be("true or false", value)


@dataclass(frozen=True, slots=True)
class Text:
    max_length: int
    min_length: int = 1

    def problem(self, value: object) -> str | None:
        fits = isinstance(value, str) and self.min_length <= len(value) <= self.max_length
        return None if fits else _must_be(f"a string of {self.min_length} to {self.max_length} characters", value)


@dataclass(frozen=True, slots=True)
class Pattern:
    expression: str  # matched whole
    wanted: str

    def problem(self, value: object) -> str | None:
        fits = isinstance(value, str) and re.fullmatch(self.expression, value)
        return None if fits else _must_be(self.wanted, value)


@dataclass(frozen=True, slots=True)
class Texts:
    max_items: int
    item: Text

    def problem(self, value: object) -> str | None:
        if not isinstance(value, list) or len(value) > self.max_items:
            return _must_be(f"a list of at most {self.max_items} strings", value)
        return next((f"an item {problem}" for entry in value if (problem := self.item.problem(entry))), None)


@dataclass(frozen=True, slots=True)
class TextMap:
    max_items: int
    key: Text
    value: Text

    def problem(self, value: object) -> str | None:
        if not isinstance(value, dict) or len(value) > self.max_items:
            return _must_be(f"an object of at most {self.max_items} strings", value)
        pairs = ((key, self.key.problem(key) or self.value.problem(entry)) for key, entry in value.items())
        return next((f"{_shown(key)} {problem}" for key, problem in pairs if problem), None)


@dataclass(frozen=True, slots=True)
class AbsolutePath:
    def problem(self, value: object) -> str | None:
        return None if isinstance(value, str) and value.startswith("/") else _must_be("an absolute path", value)


@dataclass(frozen=True, slots=True)
class Uuid:
    def problem(self, value: object) -> str | None:
        return None if isinstance(value, str) and _succeeds(uuid.UUID, value) else _must_be("a UUID", value)


@dataclass(frozen=True, slots=True)
class Section:
    """An object whose own keys are checked one by one, as the fields of `content` say."""

    content: type

    def problem(self, value: object) -> str | None:
        return None if isinstance(value, dict) else _must_be("an object", value)


@dataclass(frozen=True, slots=True)
class Nullable:
    rule: Rule

    def problem(self, value: object) -> str | None:
        return None if value is None else self.rule.problem(value)


def _must_be(wanted: str, value: object) -> str:
    return f"must be {wanted}, got {_shown(value)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "..."


def _succeeds(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True
