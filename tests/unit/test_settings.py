"""Where a setting's value comes from: the environment, files of secrets, a TOML file, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.settings import Settings


@pytest.fixture
def secrets_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def test_a_secret_is_read_from_its_file_without_the_line_end(secrets_dir: Path) -> None:
    (secrets_dir / "lorry_database_url").write_text("postgresql://lorry:pass@db/lorry\n")
    assert Settings.load(secrets_dir=secrets_dir).store_url == "postgresql://lorry:pass@db/lorry"


def test_other_programs_secrets_are_left_alone(secrets_dir: Path) -> None:
    (secrets_dir / "host").write_text("example.org")
    (secrets_dir / "lorry_no_such_setting").write_text("x")
    assert Settings.load(secrets_dir=secrets_dir).host == "127.0.0.1"


def test_the_environment_wins_over_a_secret_and_that_over_the_file(
    secrets_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lorry.toml").write_text('host = "of the file"\ninstance = "file"\nlog_level = "ERROR"\n')
    (secrets_dir / "lorry_host").write_text("of the secret")
    (secrets_dir / "lorry_instance").write_text("secret")
    monkeypatch.setenv("LORRY_HOST", "of the environment")
    settings = Settings.load(tmp_path / "lorry.toml", secrets_dir=secrets_dir)
    assert (settings.host, settings.instance, settings.log_level) == ("of the environment", "secret", "ERROR")


def test_a_machine_without_secrets_is_none_the_worse(tmp_path: Path) -> None:
    assert Settings.load(secrets_dir=tmp_path / "missing").database_password is None


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("postgresql://lorry@db:5432/lorry", "postgresql://lorry:p%40ss%2F%3A%25@db:5432/lorry"),
        (
            "postgresql://lorry@[::1]/lorry?sslmode=require",
            "postgresql://lorry:p%40ss%2F%3A%25@[::1]/lorry?sslmode=require",
        ),
        ("postgresql://lorry:own@db/lorry", "postgresql://lorry:own@db/lorry"),
        ("postgresql://db/lorry", "postgresql://db/lorry"),
        ("sqlite:////srv/lorry.db", "sqlite:////srv/lorry.db"),
    ],
)
def test_a_password_of_its_own_completes_an_address_that_has_a_user_and_none(url: str, whole: str) -> None:
    assert Settings(database_url=url, database_password="p@ss/:%").store_url == whole  # type: ignore[arg-type]


def test_the_password_is_not_in_what_the_settings_say_of_themselves() -> None:
    assert "p@ss" not in repr(Settings(database_password="p@ss"))  # type: ignore[arg-type]
