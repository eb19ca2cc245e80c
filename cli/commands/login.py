"""`lorry login`, `lorry logout`: the server and the token that the other commands use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.client import DEFAULT_URL, LorryClient
from cli.connection import Profile, checked_token, profile_file, write_profile
from cli.text import printable


def register(app: typer.Typer) -> None:
    app.command()(login)
    app.command()(logout)


def login(
    url: Annotated[str, typer.Option("--url", envvar="LORRY_URL", help="Address of the Lorry server.")] = DEFAULT_URL,
) -> None:
    """Ask for a token (or read it from stdin), try it, and keep it with the server's address in a private file."""
    is_terminal = sys.stdin.isatty()
    token = checked_token(
        (typer.prompt("Token", hide_input=True, err=True) if is_terminal else sys.stdin.read()).strip()
    )
    with LorryClient(url, token) as lorry:
        who = lorry.whoami()
        path = write_profile(Profile(lorry.url, token))
    role = ", an administrator" if who["is_admin"] else ""
    print(f"Logged in to {lorry.url} as {printable(who['user_id'])}{role}. Kept in {path}.", file=sys.stderr)


def logout() -> None:
    """Forget the server and the token. The token itself stays good until it expires or is revoked."""
    profile_file().unlink(missing_ok=True)
