"""Which server, and with which token. The token comes from the environment or a private file, never from argv."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated

import typer

from cli.client import DEFAULT_URL, LorryClient
from cli.errors import UsageProblem

TOKEN_VARIABLE = "LORRY_TOKEN"  # noqa: S105 - the variable's name

UrlOption = Annotated[str, typer.Option("--url", envvar="LORRY_URL", help="Address of the Lorry server.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as JSON on stdout, and nothing else.")]


def connect(url: str = DEFAULT_URL) -> LorryClient:
    return LorryClient(url, read_token())


def read_token() -> str:
    """The caller's token: LORRY_TOKEN first, then the token file."""
    token = os.environ.get(TOKEN_VARIABLE, "").strip() or _token_in(token_file())
    if not token:
        raise UsageProblem(
            f"No token: set {TOKEN_VARIABLE}, or put the token into {token_file()} (mode 600). "
            "An operator makes one with `lorry token create --user NAME`."
        )
    if not token.isascii() or any(character.isspace() for character in token):
        raise UsageProblem("The token has spaces or other odd characters in it; copy it again.")
    return token


def token_file() -> Path:
    configuration = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(configuration) / "lorry" / "token"


def _token_in(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        token = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"Could not read the token in {path}: {error}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageProblem(f"The token in {path} is open to other users of this machine. Run: chmod 600 {path}")
    return token
