"""What users look up in docs/ is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.domain.lifecycle import ENDINGS, EndReason, JobStatus
from orchestrator.settings import Settings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_every_setting_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `LORRY_([A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_described_as_the_code_describes_it(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert f"| `LORRY_{name.upper()}` |" in (DOCS / "settings.md").read_text()
    assert description in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("status", JobStatus)
def test_every_state_is_explained(status: JobStatus) -> None:
    assert f"| `{status}` |" in (DOCS / "job-lifecycle.md").read_text()


@pytest.mark.parametrize("reason", EndReason)
def test_every_end_reason_is_listed_with_its_state_and_the_sentence_users_read(reason: EndReason) -> None:
    ending = ENDINGS[reason]
    line = f"| `{reason}` | {ending.status} | {ending.retry} | {ending.sentence} |"
    assert line in (DOCS / "job-lifecycle.md").read_text()
