"""compose.supabase.yaml as far as it can be tested without its images: that Compose reads it, and its secrets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml

from orchestrator.adapters.supabase import problem_of_key

ROOT = Path(__file__).resolve().parents[3]
MAKE_SECRETS = ROOT / "images" / "supabase" / "make_secrets.py"
SUPABASE = {"supabase-db", "supabase-auth", "supabase-rest", "supabase-storage", "supabase-gateway"}


@pytest.fixture
def secrets_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    return folder


def make_secrets(folder: Path) -> str:
    answer = subprocess.run([sys.executable, MAKE_SECRETS, folder], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def configured(secrets_dir: Path, *profiles: str) -> dict[str, Any]:
    """What Compose makes of both files."""
    program = shutil.which("docker-compose")
    assert program, "docker-compose reads compose.yaml: apt-get install docker-compose"
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    files = ["--file", "compose.yaml", "--file", "compose.supabase.yaml"]
    variables = {"LORRY_DATA_DIR": "/srv/lorry", "DOCKER_GID": "1", "SECRETS_DIR": str(secrets_dir)}
    answer = subprocess.run(
        [program, *files, *chosen, "config"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    read: dict[str, Any] = yaml.safe_load(answer.stdout)
    return read


def variables_of(secrets_dir: Path) -> dict[str, str]:
    lines = (secrets_dir / "supabase.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_compose_reads_every_service_with_an_image_that_is_pinned(secrets_dir: Path) -> None:
    services = configured(secrets_dir, "supabase", "web")["services"]
    assert set(services) == {"api", "orchestrator", "db", "web"} | SUPABASE
    for name in (*SUPABASE, "web"):
        _, _, tag = services[name]["image"].rpartition(":")
        assert any(character.isdigit() for character in tag), name
        assert "no-new-privileges:true" in services[name]["security_opt"], name


def test_without_a_profile_nothing_of_it_is_started() -> None:
    for file, own in (("compose.yaml", {"web"}), ("compose.supabase.yaml", SUPABASE)):
        services = yaml.safe_load((ROOT / file).read_text())["services"]
        assert {name for name, service in services.items() if service.get("profiles")} == own


def test_both_halves_reach_the_gateway_and_only_they_hold_the_secret_key(secrets_dir: Path) -> None:
    services = configured(secrets_dir, "supabase", "web")["services"]
    holders = {
        name
        for name, service in services.items()
        if any(secret["source"] == "lorry_supabase_secret_key" for secret in service.get("secrets", []))
    }
    assert holders == {"api", "orchestrator"}
    for name in holders | SUPABASE:
        assert "supabase" in services[name]["networks"], name
    assert "SERVICE_KEY" not in services["supabase-gateway"].get("environment", {})


def test_its_secrets_fit_together(secrets_dir: Path) -> None:
    named = variables_of(secrets_dir)
    assert named["PGRST_JWT_SECRET"] == named["GOTRUE_JWT_SECRET"] == named["AUTH_JWT_SECRET"]
    for name, role in (("ANON_KEY", "anon"), ("SERVICE_KEY", "service_role")):
        assert jwt.decode(named[name], named["GOTRUE_JWT_SECRET"], ["HS256"])["role"] == role
    for name in ("PGRST_DB_URI", "GOTRUE_DB_DATABASE_URL", "DATABASE_URL"):
        assert f":{named['POSTGRES_PASSWORD']}@supabase-db:5432/" in named[name]
    assert (secrets_dir / "database_password").read_text().strip() == named["POSTGRES_PASSWORD"]
    assert (secrets_dir / "supabase_secret_key").read_text().strip() == named["SERVICE_KEY"]
    assert problem_of_key(named["ANON_KEY"], is_reachable_by_others=True) is None
    assert secrets_dir.stat().st_mode & 0o077 == 0


def test_secrets_that_are_in_use_are_not_overwritten(secrets_dir: Path) -> None:
    before = variables_of(secrets_dir)
    with pytest.raises(subprocess.CalledProcessError):
        make_secrets(secrets_dir)
    assert variables_of(secrets_dir) == before
