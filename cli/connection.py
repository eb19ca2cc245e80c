"""Which server, and with which token. The token comes from the environment or a private file, never from argv."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.client import DEFAULT_URL, LorryClient
from cli.errors import UsageProblem

TOKEN_VARIABLE = "LORRY_TOKEN"  # noqa: S105 - the variable's name


@dataclass(frozen=True, slots=True)
class Profile:
    """What `lorry login` wrote down."""

    url: str
    token: str


def _chosen_url(context: typer.Context, parameter: typer.CallbackParam, url: str) -> str:
    """Without --url and LORRY_URL it is the server that the user logged in to."""
    source = context.get_parameter_source(parameter.name or "")
    if source is None or source.name != "DEFAULT":
        return url
    profile = read_profile()
    return profile.url if profile else url


UrlOption = Annotated[
    str, typer.Option("--url", envvar="LORRY_URL", callback=_chosen_url, help="Address of the Lorry server.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as JSON on stdout, and nothing else.")]


def connect(url: str = DEFAULT_URL) -> LorryClient:
    return LorryClient(url, read_token(url))


def read_token(url: str) -> str:
    """The caller's token: LORRY_TOKEN first, then that of `lorry login`, which no other server than that one gets."""
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token and (profile := read_profile()) is not None and profile.url == url.rstrip("/"):
        token = profile.token
    if not token:
        raise UsageProblem(
            f"No token for {url}: run `lorry login`, or set {TOKEN_VARIABLE}. "
            "An operator makes one with `lorry token create --user NAME`."
        )
    return checked_token(token)


def checked_token(token: str) -> str:
    """Raises UsageProblem, without the token in it."""
    if not token.isascii() or any(character.isspace() for character in token):
        raise UsageProblem("The token has spaces or other odd characters in it; copy it again.")
    return token


def profile_file() -> Path:
    configuration = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(configuration) / "lorry" / "config.toml"


def read_profile() -> Profile | None:
    """None when nobody has logged in. Raises UsageProblem for a file that is broken or open to others."""
    path = profile_file()
    try:
        mode = path.stat().st_mode
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        profile = Profile(str(content["url"]).rstrip("/"), str(content["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        raise UsageProblem(f"{path} is not usable ({error}). `lorry login` writes it anew.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageProblem(f"The token in {path} is open to other users of this machine. Run: chmod 600 {path}")
    return profile


def write_profile(profile: Profile) -> Path:
    """Private from the moment that it exists."""
    path = profile_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        # JSON's strings are strings of TOML too.
        file.write(f"url = {json.dumps(profile.url)}\ntoken = {json.dumps(profile.token)}\n")
    fresh.replace(path)
    return path
