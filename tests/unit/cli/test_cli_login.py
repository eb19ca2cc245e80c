"""`lorry login` and what it leaves for the other commands."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lorry = Callable[..., Any]


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is kept; nobody has logged in and no variable helps."""
    monkeypatch.delenv("LORRY_TOKEN", raising=False)
    monkeypatch.delenv("LORRY_URL", raising=False)
    return tmp_path / "home/.config/lorry/config.toml"


@pytest.fixture
def log_in(lorry: Lorry, profile: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def run(url: str) -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO("lorry_mine\n"))
        return lorry("login", "--url", url)

    return run


def canned_user(server: Any) -> None:
    server.data("/auth/me", {"user_id": "alice", "is_admin": False})
    server.data("/training/jobs", [], total=0)


def test_what_was_logged_in_to_serves_every_later_command(
    server: Any, lorry: Lorry, log_in: Lorry, profile: Path
) -> None:
    canned_user(server)
    ended = log_in(server.url)
    assert (ended.code, ended.out) == (0, "")
    assert f"Logged in to {server.url} as alice." in ended.err
    assert profile.stat().st_mode & 0o777 == 0o600
    assert lorry("jobs").code == 0
    assert [seen.headers["Authorization"] for seen in server.seen] == ["Bearer lorry_mine"] * 2


def test_a_token_that_the_server_refuses_is_not_kept(server: Any, log_in: Lorry, profile: Path) -> None:
    server.refuse("GET", "/auth/me", 401, "UNAUTHENTICATED", "The token is unknown.")
    ended = log_in(server.url)
    assert ended.code == 3
    assert "Could not log in: The token is unknown." in ended.err
    assert "lorry_mine" not in ended.err
    assert not profile.exists()


def test_the_token_of_one_server_is_never_sent_to_another(server: Any, lorry: Lorry, log_in: Lorry) -> None:
    canned_user(server)
    log_in(server.url)
    ended = lorry("jobs", "--url", server.url.replace("127.0.0.1", "localhost"))
    assert ended.code == 2
    assert "lorry login" in ended.err
    assert len(server.seen) == 1


def test_the_environment_wins_over_the_profile(
    server: Any, lorry: Lorry, log_in: Lorry, monkeypatch: pytest.MonkeyPatch
) -> None:
    canned_user(server)
    log_in(server.url)
    monkeypatch.setenv("LORRY_TOKEN", "lorry_other")
    lorry("jobs")
    assert server.seen[-1].headers["Authorization"] == "Bearer lorry_other"


def test_a_profile_that_others_can_read_is_refused(server: Any, lorry: Lorry, log_in: Lorry, profile: Path) -> None:
    canned_user(server)
    log_in(server.url)
    profile.chmod(0o644)
    refused = lorry("jobs")
    assert refused.code == 2
    assert f"chmod 600 {profile}" in refused.err


def test_a_broken_profile_says_how_to_mend_it(lorry: Lorry, profile: Path) -> None:
    profile.parent.mkdir(parents=True)
    profile.write_text("url = ")
    refused = lorry("jobs")
    assert refused.code == 2
    assert "`lorry login` writes it anew" in refused.err


def test_logging_out_forgets_it(server: Any, lorry: Lorry, log_in: Lorry, profile: Path) -> None:
    canned_user(server)
    log_in(server.url)
    assert (lorry("logout").code, profile.exists()) == (0, False)
    assert lorry("logout").code == 0
