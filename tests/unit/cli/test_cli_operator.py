"""The operator's commands, as far as they need no server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.commands.server import parse_ttl
from cli.errors import UsageProblem

Lorry = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", timedelta(seconds=90)), ("12h", timedelta(hours=12)), ("30d", timedelta(days=30))],
)
def test_a_lifetime_is_a_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert parse_ttl(text) == expected


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "0d", "1.5h", "30 d", "9999999d"])
def test_any_other_lifetime_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageProblem, match="30d"):
        parse_ttl(text)


def test_wrong_settings_are_sentences_without_their_values(
    lorry: Lorry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "lorry.toml"
    file.write_text('port = "s3cret"\nno_such_setting = "s3cret"\n')
    monkeypatch.setenv("LORRY_CPU_SLOTS", "s3cret")
    ended = lorry("migrate", "--config", str(file))
    assert ended.code == 2
    for name in ("LORRY_PORT", "LORRY_NO_SUCH_SETTING", "LORRY_CPU_SLOTS"):
        assert name in ended.err
    assert "s3cret" not in ended.err


def test_a_settings_file_that_is_missing_or_no_toml_is_said_so(lorry: Lorry, tmp_path: Path) -> None:
    missing = lorry("migrate", "--config", str(tmp_path / "missing.toml"))
    assert (missing.code, missing.err) == (2, f"There is no settings file {tmp_path / 'missing.toml'}.\n")
    (tmp_path / "bad.toml").write_text("= =")
    assert "is not TOML" in lorry("migrate", "--config", str(tmp_path / "bad.toml")).err


def test_migrations_can_be_printed_without_a_database(lorry: Lorry) -> None:
    everything, newer = lorry("migrate", "--sql"), lorry("migrate", "--sql", "--from", "0003")
    assert (everything.code, newer.code) == (0, 0)
    assert everything.out.startswith("BEGIN;\n")
    assert everything.out.rstrip().endswith("COMMIT;")
    assert "CREATE TABLE training_jobs" in everything.out
    assert "CREATE TABLE training_jobs" not in newer.out


def test_migrations_from_a_revision_that_never_was_are_refused(lorry: Lorry) -> None:
    refused = lorry("migrate", "--sql", "--from", "9999")
    assert refused.code == 1
    assert "There is no revision '9999'" in refused.err
