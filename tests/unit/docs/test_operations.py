"""docs/operations.md names the metrics, settings and commands that there are, and the sentences that users read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from api.metrics import Metrics
from cli.main import app
from orchestrator.adapters.memory import ManualClock, MemoryDisk
from orchestrator.adapters.prometheus import PrometheusMeter
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.retention import Kind
from orchestrator.ports.figure_store import Figures
from orchestrator.ports.record_store import EngineStatus
from orchestrator.services.survey import Survey
from orchestrator.settings import Settings
from tests.factories import NOW

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "operations.md").read_text()


class _Store:
    """One that has something of everything."""

    def figures(self) -> Figures:
        return Figures(
            jobs=dict.fromkeys(JobStatus, 1),
            ended_attempts=dict.fromkeys(EndReason, 1),
            retries=1,
            waiting_since=NOW,
            suspect_devices=1,
        )

    def engine_status(self) -> EngineStatus:
        return EngineStatus(last_pass_at=NOW)


def test_the_table_of_metrics_is_the_registry() -> None:
    store = _Store()
    survey = Survey(store=store, records=store, disk=MemoryDisk(), clock=ManualClock())  # type: ignore[arg-type]
    registry = Metrics(survey, others=(PrometheusMeter().registry,)).registry
    there = {(family.name, family.type, family.documentation) for family in registry.collect()}

    rows = re.findall(r"^\| `(lorry_\w+)` \| (\w+) \| [^|]*\| (.+) \|$", TEXT, re.MULTILINE)
    assert set(rows) == there


def test_every_setting_it_names_exists() -> None:
    named = set(re.findall(r"LORRY_([A-Z_]+)", TEXT))
    assert named <= {name.upper() for name in Settings.model_fields}


def test_every_command_it_names_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = {one or other for one, other in re.findall(r"`lorry ([a-z]+)|^lorry ([a-z]+)", TEXT, re.MULTILINE)}
    assert {"cleanup", "token", "doctor"} <= named <= commands


@pytest.mark.parametrize("kind", Kind)
def test_the_days_of_each_kind_are_the_defaults(kind: Kind) -> None:
    name = f"retain_{kind}_days"
    assert f"| `LORRY_{name.upper()}` | {Settings.model_fields[name].default} |" in TEXT


@pytest.mark.parametrize(
    "sentence",
    [
        "the Docker Engine has not answered since",
        "is not on this machine; build it with `make setup`",
        "GiB are free in the data directory",
        "its slot and devices stay taken until it is gone.",
        "container cannot be killed",
        "No orchestrator has made a pass for",
        "standby: another process orchestrates on this store",
        "your limit of",
        "STORE_UNAVAILABLE",
    ],
)
def test_the_sentences_it_quotes_are_the_ones_that_are_said(sentence: str) -> None:
    assert sentence in TEXT.replace("\n", " ")
    assert any(sentence in path.read_text() for path in (ROOT / "orchestrator").rglob("*.py"))
