"""The operator's commands: serve, api, orchestrate, migrate, token, doctor.

What they call is imported when they run: it takes several times as long as everything a user's command needs.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.client import DEFAULT_URL
from cli.connection import JsonOption, UrlOption
from cli.errors import ExitCode, UsageProblem
from cli.text import print_json, printable

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML file of settings; LORRY_* variables win over it.")
]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

token = typer.Typer(help="Bearer tokens for the API.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(api)
    app.command()(orchestrate)
    app.command()(migrate)
    app.add_typer(token, name="token")
    app.command()(doctor)


def serve(config: ConfigOption = None) -> None:
    """Run the API and the orchestrator in one process."""
    from api.main import serve as serve_both
    from cli.settings import load_settings

    serve_both(load_settings(config))


def api(config: ConfigOption = None) -> None:
    """Run the API alone; it needs no access to the Docker Engine."""
    from api.main import serve_api
    from cli.settings import load_settings

    serve_api(load_settings(config))


def orchestrate(config: ConfigOption = None) -> None:
    """Run the orchestrator alone: the half that starts and watches containers."""
    from cli.settings import load_settings
    from orchestrator.main import orchestrate as run

    run(load_settings(config))


def migrate(
    config: ConfigOption = None,
    as_sql: Annotated[
        bool, typer.Option("--sql", help="Only print the SQL for Postgres, to paste into Supabase's SQL editor.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--from", metavar="REVISION", help="With --sql: what the database is at; else empty.")
    ] = None,
) -> None:
    """Bring the job store to the newest schema. Safe to repeat."""
    from cli.settings import load_settings
    from orchestrator import bootstrap

    if as_sql:
        print(bootstrap.migration_sql(since))
    else:
        bootstrap.migrate(load_settings(config), note=print)


@token.command("create")
def create_token(
    user: Annotated[str, typer.Option(help="Whose jobs and datasets the token is good for.")],
    is_admin: Annotated[bool, typer.Option("--admin", help="Also allow what only administrators may do.")] = False,
    ttl: Annotated[str | None, typer.Option(help="How long it is valid, like 30d or 12h; forever otherwise.")] = None,
    config: ConfigOption = None,
) -> None:
    """Print a new token, alone on stdout. It is shown this once: only its hash is stored."""
    from cli.settings import load_settings
    from orchestrator import bootstrap

    lifetime = parse_ttl(ttl) if ttl is not None else None
    print(bootstrap.identity_service(load_settings(config)).issue(user, is_admin=is_admin, ttl=lifetime))


@token.command("link")
def create_sign_in_link(
    user: Annotated[str, typer.Option(help="Who will be signed in.")],
    is_admin: Annotated[bool, typer.Option("--admin", help="Also allow what only administrators may do.")] = False,
    url: UrlOption = DEFAULT_URL,
    config: ConfigOption = None,
) -> None:
    """Print a link, alone on stdout, that signs a browser in to the web app: once, within half an hour."""
    from api.web import sign_in_link
    from cli.settings import load_settings
    from orchestrator import bootstrap

    code = bootstrap.identity_service(load_settings(config)).issue_code(user, is_admin=is_admin)
    print(sign_in_link(url, code))


@token.command("revoke")
def revoke_tokens(
    user: Annotated[str, typer.Option(help="Whose tokens end, all of them.")], config: ConfigOption = None
) -> None:
    """Make all tokens of a user worthless at once."""
    from cli.settings import load_settings
    from orchestrator import bootstrap

    count = bootstrap.identity_service(load_settings(config)).revoke(user)
    print(f"{count} tokens of {printable(user)} are worthless now.")


def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check everything this installation needs, and say what to do about what fails."""
    from cli.doctor import examine
    from cli.settings import load_settings

    findings = examine(load_settings(config))
    if as_json:
        print_json([finding.as_dict() for finding in findings])
    else:
        print("\n".join(map(str, findings)))
    if any(finding.is_failing for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def parse_ttl(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,5})([smhdw])", text)
    if match is None:
        raise UsageProblem(f"--ttl {text}: expected a whole number and s, m, h, d or w, for instance 30d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
