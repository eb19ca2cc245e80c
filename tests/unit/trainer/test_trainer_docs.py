"""The documents name every option, every exit code and every event."""

from __future__ import annotations

import dataclasses

from lora_trainer.config import TrainingParams
from lora_trainer.errors import TrainerError
from tests.unit.trainer.documents import ROOT, schema

OPTIONS = (ROOT / "docs" / "trainer.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "trainer-protocol.md").read_text(encoding="utf-8")


def test_every_option_is_documented():
    for field in dataclasses.fields(TrainingParams):
        assert f"\n| `{field.name}` |" in OPTIONS


def test_every_exit_code_is_documented():
    rows = [line for line in PROTOCOL.splitlines() if line.startswith("| ")]
    for error in (TrainerError, *TrainerError.__subclasses__()):
        assert any(line.startswith(f"| {error.exit_code} |") and f"`{error.code}`" in line for line in rows), error


def test_every_event_is_documented():
    for kind in schema("event.v1.json")["$defs"]:
        assert f"\n| `{kind}` |" in PROTOCOL
