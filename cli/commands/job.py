"""`lorry job`, `lorry diff`, `lorry rerun`, `lorry continue`: one job looked at, compared, run once more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from cli.answers import Event, Job
from cli.client import DEFAULT_URL
from cli.commands.jobs import JobArgument, at_step
from cli.connection import JsonOption, UrlOption, connect
from cli.text import instant, print_facts, print_json, print_table, printable
from cli.watching import facts, stage, start_of

_HISTORY_COLUMNS = ("AT", "ATTEMPT", "WHAT", "MESSAGE")


def register(app: typer.Typer) -> None:
    app.command()(job)
    app.command()(diff)
    app.command()(rerun)
    app.command("continue")(continue_job)


def job(
    job: JobArgument,
    is_history: Annotated[bool, typer.Option("--history", help="What happened to it, instead of how it is.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show one job: how it is, or with --history how it came to be so."""
    with connect(url) as lorry:
        found = lorry.events(job) if is_history else lorry.job(job)
    if as_json:
        print_json(found)
    elif isinstance(found, list):
        print_table(_HISTORY_COLUMNS, map(_event_row, found), empty="Nothing has happened yet.")
    else:
        print_facts(_facts(found))


def diff(
    job: JobArgument,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Id of the job to compare it with.")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what two jobs have different: settings, dataset, base model, image."""
    with connect(url) as lorry:
        found = lorry.diff(job, other)
    if as_json:
        print_json(found)
    else:
        rows = ((each["field"], str(each["before"]), str(each["after"])) for each in found)
        print_table(("WHAT", job, other), rows, empty="Nothing is different.")


def rerun(job: JobArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Run an ended job once more, exactly: print the new job's id, and on stderr what cannot be as it was."""
    with connect(url) as lorry:
        again = lorry.rerun(job)
    if as_json:
        print_json(again)
        return
    for difference in again["differences"]:
        change = f"{difference['field']}: {difference['before']} is {difference['after']} by now"
        print(printable(change), file=sys.stderr)
    print(again["job"]["id"])


def continue_job(
    job: JobArgument,
    *,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps in all, those it took included.")] = None,
    from_checkpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="Go on from this checkpoint, such as step-000500.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Continue an ended job in a new one with more steps: print its id, and on stderr what it goes on from."""
    with connect(url) as lorry:
        found = lorry.continue_job(job, steps=steps, from_checkpoint=from_checkpoint)
    if as_json:
        print_json(found)
        return
    print(f"It goes on from {found['checkpoint']} to step {found['steps']}.", file=sys.stderr)
    for remark in found["remarks"]:
        print(printable(remark), file=sys.stderr)
    print(found["job"]["id"])


def _facts(job: Job) -> Iterator[tuple[str, str]]:
    yield "job", job["id"]
    yield "name", job["name"] or ""
    yield "tags", ", ".join(job["tags"])
    yield "notes", " ".join((job["notes"] or "").split())
    yield "training", f"{job['type']} of {job['base_model']}"
    yield "dataset", job["dataset_id"]
    yield "now", "  ".join(part for part in (stage(job), f"{job['progress']:.0f}%", facts(job)) if part)
    if job["queue"] is not None:
        yield "waits for", job["queue"]["explanation"]
        yield "freed by", job["queue"]["freed_by"]
        yield "waits since", instant(job["queue"]["waiting_since"])
        yield "starts", start_of(job["queue"]).removeprefix("starts ")
    yield "lowest", at_step(job["best"]["loss"])
    yield "best", "  ".join(part for part in (at_step(job["best"]["val_loss"]), job["best_checkpoint"]) if part)
    yield "attempt", str(job["attempt"])
    yield "ended", " ".join(part for part in (job["end_reason"], job["error_message"]) if part)
    yield "created", instant(job["created_at"])
    yield "started", instant(job["started_at"])
    yield "completed", instant(job["completed_at"])
    yield "options", ", ".join(f"{name} {value}" for name, value in job["config"].items() if value is not None)


def _event_row(event: Event) -> tuple[str, ...]:
    return (instant(event["at"]), str(event["attempt"]), event["type"], event["message"])
