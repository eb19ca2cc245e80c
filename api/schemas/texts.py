"""Texts clients may send: Unicode as they wrote it, without control characters."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, Field


def _without_controls(text: str) -> str:
    """Zero-width joiners are format characters, not controls: Persian needs them."""
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("must not contain control characters")
    return text


_Clean = AfterValidator(_without_controls)
_Told = Field(json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"})  # the same rule, for clients


_LINES = {ord("\n"): " ", ord("\t"): " "}


def _without_controls_but_lines(text: str) -> str:
    _without_controls(text.translate(_LINES))
    return text


def text(max_length: int, *, min_length: int = 1) -> Any:
    """The annotation of a text of up to `max_length` characters."""
    return Annotated[str, Field(min_length=min_length, max_length=max_length), _Clean, _Told]


Name = Annotated[str, Field(min_length=1, max_length=200), _Clean, _Told]
TriggerWord = Annotated[str, Field(min_length=1, max_length=100), _Clean, _Told]
Description = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_without_controls)]
Search = Annotated[str, Field(max_length=200), _Clean, _Told]
Reason = Annotated[str, Field(max_length=500), _Clean, _Told]
Tag = Annotated[str, Field(min_length=1, max_length=40), _Clean, _Told]
Notes = Annotated[
    str,
    Field(min_length=1, max_length=10_000),
    AfterValidator(_without_controls_but_lines),
    Field(json_schema_extra={"pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"}),
]
