"""An operator's settings, with every mistake in them as a sentence."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from cli.connection import TOKEN_VARIABLE
from cli.errors import UsageProblem
from orchestrator.settings import Settings

PREFIX = "LORRY_"
CLIENT_VARIABLES = frozenset({TOKEN_VARIABLE, "LORRY_URL"})


def load_settings(config: Path | None) -> Settings:
    if config is not None and not config.is_file():
        raise UsageProblem(f"There is no settings file {config}.")
    try:
        return Settings.load(config)
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"The settings file {config} is not TOML: {error}.") from error
    except OSError as error:
        raise UsageProblem(f"The secret {error.filename} could not be read: {error.strerror}.") from error
    except ValidationError as error:
        # Never the value: a database URL holds a password.
        wrong = (f"  {PREFIX}{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors())
        raise UsageProblem("\n".join(["The settings are not usable:", *wrong])) from None


def unknown_names(environment: Mapping[str, str] = os.environ) -> list[str]:
    """LORRY_* variables that mean nothing here: most likely a slip of the pen."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | CLIENT_VARIABLES
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
