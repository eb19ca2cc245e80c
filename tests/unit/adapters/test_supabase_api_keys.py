"""Which configured keys are refused, and when."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from orchestrator import bootstrap
from orchestrator.adapters.supabase import problem_of_key
from orchestrator.adapters.supabase.api_keys import DEFAULT_LOCAL_SECRET
from orchestrator.domain.errors import Rejected
from orchestrator.settings import Settings
from orchestrator.supabase_mode import supabase_project

OWN_SECRET = b"a-secret-that-this-installation-made-for-itself"


def legacy_key(role: str, secret: bytes = OWN_SECRET) -> str:
    return jwt.encode({"iss": "supabase", "role": role, "exp": 2_200_000_000}, secret, "HS256")


@pytest.mark.parametrize("key", ["sb_publishable_abc", legacy_key("anon"), "a.b.c", "a.e30.c", "\u732b.\u732b.\u732b"])
def test_a_key_that_gives_no_power_is_taken(key: str) -> None:
    assert problem_of_key(key, is_reachable_by_others=True) is None


@pytest.mark.parametrize("key", ["sb_secret_abc", legacy_key("service_role")])
def test_a_secret_key_is_refused_by_its_kind_and_never_shown(key: str) -> None:
    problem = problem_of_key(key, is_reachable_by_others=False)
    assert problem is not None
    assert "secret key" in problem
    assert key not in problem


def test_no_key_is_a_problem_too() -> None:
    assert "not set" in str(problem_of_key("", is_reachable_by_others=False))


def test_the_secret_that_everybody_knows_serves_only_this_machine() -> None:
    key = legacy_key("anon", DEFAULT_LOCAL_SECRET)
    assert problem_of_key(key, is_reachable_by_others=False) is None
    assert "forge" in str(problem_of_key(key, is_reachable_by_others=True))


@pytest.mark.parametrize(("host", "is_refused"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True)])  # noqa: S104
def test_lorry_does_not_start_where_others_could_forge_its_tokens(host: str, is_refused: bool, tmp_path: Path) -> None:  # noqa: FBT001
    settings = Settings(
        data_dir=tmp_path,
        host=host,
        supabase_url="http://127.0.0.1:54321",
        supabase_publishable_key=legacy_key("anon", DEFAULT_LOCAL_SECRET),
    )
    if is_refused:
        with pytest.raises(Rejected, match="LORRY_SUPABASE_PUBLISHABLE_KEY"):
            bootstrap.build(settings)
    else:
        project = supabase_project(settings)
        assert project is not None
        project.close()


@pytest.mark.parametrize(
    ("settings", "issuer"),
    [
        ({}, None),
        ({"supabase_url": "https://x.supabase.co/"}, "https://x.supabase.co/auth/v1"),
        ({"supabase_url": "http://kong:8000", "supabase_issuer": "https://x/auth/v1"}, "https://x/auth/v1"),
        ({"supabase_url": "http://kong:8000", "supabase_issuer": ""}, None),
    ],
)
def test_the_issuer_follows_the_projects_address_unless_it_is_given(
    settings: dict[str, str], issuer: str | None
) -> None:
    assert Settings(**settings).issuer == issuer
