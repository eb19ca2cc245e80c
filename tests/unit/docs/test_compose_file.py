"""compose.yaml hands on every setting there is, and .env.example and docs/compose.md name what it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from orchestrator.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "compose.yaml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
# What compose.yaml itself decides: secrets are files, ports and socket have their places.
FIXED = {"PORT", "DOCKER_HOST", "METRICS_PORT", "CATALOGUE", "PRESETS"}
SECRET = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
TEXTS = TEXT + (ROOT / "compose.supabase.yaml").read_text()
READ = set(re.findall(r"\$\{([A-Z_]+)", TEXTS))


@pytest.mark.parametrize("half", ["api", "orchestrator"])
def test_every_setting_reaches_each_half(half: str) -> None:
    given = {name.removeprefix("LORRY_") for name in SERVICES[half]["environment"] if name.startswith("LORRY_")}
    expected = {name.upper() for name in Settings.model_fields} - FIXED - SECRET
    assert given - FIXED == expected, "a new setting needs its line in x-settings of compose.yaml"


def test_the_example_names_every_variable_and_the_default_that_compose_yaml_has() -> None:
    example = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert set(example) >= READ
    for name, default in re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", TEXTS):
        assert example[name] == default


def test_the_documentation_names_no_variable_that_nobody_reads() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", (ROOT / "docs" / "compose.md").read_text()))
    assert named <= READ | {f"LORRY_{name.upper()}" for name in Settings.model_fields} | {
        "COMPOSE_FILE",
        "COMPOSE_PROFILES",
        "LORRY_TOKEN",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_is_in_the_environment(service: str) -> None:
    assert not SECRET & {name.removeprefix("LORRY_") for name in SERVICES[service]["environment"]}


def test_only_the_orchestrator_is_given_the_socket() -> None:
    holders = [name for name, service in SERVICES.items() if "docker.sock" in str(service.get("volumes"))]
    assert holders == ["orchestrator"]
