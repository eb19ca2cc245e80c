"""The documents name every option, every exit code and every event."""

from __future__ import annotations

import json
import re

import pytest

from lora_trainer.errors import TrainerError
from orchestrator.domain.training import options
from tests.unit.trainer.documents import ROOT, schema

OPTIONS = (ROOT / "docs" / "trainer.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "trainer-protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", options())
def test_every_option_is_documented_with_its_range_and_default(name):
    field, option = options()[name]
    default = json.dumps(list(field.default) if isinstance(field.default, tuple) else field.default)
    (row,) = [line for line in OPTIONS.splitlines() if line.startswith(f"| `{name}` |")]
    _, _, documented, shown, effect, _, _ = (cell.strip() for cell in row.split("|"))

    assert (documented, shown) == (range_in_words(field.type, option), f"`{default}`")
    assert effect.endswith(".")


def test_no_option_is_documented_that_is_none():
    section = OPTIONS.split("## Options")[1].split("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(options())


def range_in_words(kind, option):
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    null = " or null" if kind.endswith("| None") else ""
    if option.max_text_length:
        count = f"{option.maximum} of at most " if option.maximum else ""
        return f"at most {count}{option.max_text_length} characters{null}"
    if kind == "bool":
        return "true, false"
    multiple = f", multiple of {option.multiple_of}" if option.multiple_of else ""
    return f"{option.minimum:g} to {option.maximum:.10g}{multiple}{null}"


def test_every_exit_code_is_documented():
    rows = [line for line in PROTOCOL.splitlines() if line.startswith("| ")]
    for error in (TrainerError, *TrainerError.__subclasses__()):
        assert any(line.startswith(f"| {error.exit_code} |") and f"`{error.code}`" in line for line in rows), error


def test_every_event_is_documented():
    for kind in schema("event.v1.json")["$defs"]:
        assert f"\n| `{kind}` |" in PROTOCOL
