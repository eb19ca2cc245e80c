"""`lorry describe`, `lorry delete`, `lorry restore`: what its owner says of a job, and taking it away and back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.answers import FINAL_STATUSES, Job
from cli.client import DEFAULT_URL
from cli.commands.jobs import JobArgument
from cli.connection import JsonOption, UrlOption, connect
from cli.text import instant, print_json, print_table, printable
from cli.watching import stage

_DELETED_COLUMNS = ("JOB", "NAME", "MODEL", "STATUS", "UNTIL")


def register(app: typer.Typer) -> None:
    app.command()(describe)
    app.command()(delete)
    app.command()(restore)


def describe(
    job: JobArgument,
    *,
    name: Annotated[str | None, typer.Option(help='Its new name; "" takes it away.')] = None,
    notes: Annotated[str | None, typer.Option(help='Its new notes; "" takes them away.')] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag, in place of all it had; may be repeated.")] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all its tags away.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Name, note and tag a job, in any state. What is not said stays."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = name or None
    if notes is not None:
        changes["notes"] = notes or None
    if tag or no_tags:
        changes["tags"] = tag or []
    if not changes:
        raise typer.BadParameter("say what to change: --name, --notes, --tag or --no-tags.")
    with connect(url) as lorry:
        after = lorry.describe(job, **changes)
    if as_json:
        print_json(after)
    else:
        print(printable(f"Job {job}: {after['name'] or 'no name'}; tags: {', '.join(after['tags']) or 'none'}."))


def delete(job: JobArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Delete an ended job with its files and records; one that has not ended is cancelled."""
    with connect(url) as lorry:
        before = lorry.delete(job)
    if as_json:
        print_json(before)
    elif before["status"] not in FINAL_STATUSES:
        print(f"Job {job} has not ended: cancellation requested, now {before['status']}.")
    elif before["restorable_until"] is None:
        print(f"Job {job} is deleted.")
    else:
        print(f"Job {job} is deleted. Until {instant(before['restorable_until'])}: lorry restore {job}.")


def restore(
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="Id of the job; without one they are listed.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Bring a deleted job back, or list those that can be."""
    with connect(url) as lorry:
        found = lorry.restore(job) if job else lorry.deleted()
    if as_json:
        print_json(found)
    elif isinstance(found, list):
        print_table(_DELETED_COLUMNS, map(_deleted_row, found), empty="No job can be brought back.")
    else:
        print(f"Job {job} is back: {stage(found)}.")


def _deleted_row(job: Job) -> tuple[str, ...]:
    return (job["id"], job["name"] or "", job["base_model"], stage(job), instant(job["restorable_until"]))
