"""`lorry promote`: a checkpoint becomes a version of a registered model."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import DEFAULT_URL
from cli.commands.jobs import JobArgument
from cli.connection import JsonOption, UrlOption, connect
from cli.text import print_json, printable


def register(app: typer.Typer) -> None:
    app.command()(promote)


def promote(
    job: JobArgument,
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Its name, such as step-000500.")],
    *,
    name: Annotated[
        str | None, typer.Option(help="What to register it as; without it the name of the job's own version.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Register what an ended job had learned by a checkpoint, beside what it ended with."""
    with connect(url) as lorry:
        version = lorry.promote(job, checkpoint, name=name)
    if as_json:
        print_json(version)
    else:
        print(printable(f"Step {version['step']} is version {version['version']} of {version['name']}."))
