"""`lorry logs`: what a job's container printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from cli.answers import FINAL_STATUSES
from cli.client import DEFAULT_URL, LorryClient
from cli.commands.jobs import JobArgument
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import ExitCode
from cli.text import print_json, printable

_FOLLOW_TAIL = 1000  # lines the container may print between two looks without one being missed
_POLL_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    app.command()(logs)


def logs(
    job: JobArgument,
    tail: Annotated[int, typer.Option(min=1, max=10_000, help="Number of last lines.")] = 200,
    should_follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Print what a job's container printed."""
    with connect(url) as lorry:
        lines = lorry.logs(job, tail=tail)
        if as_json:
            print_json(lines)
            return
        _print(lines)
        if should_follow:
            _follow(lorry, job, lines)


def new_lines(before: Sequence[str], after: Sequence[str]) -> Sequence[str]:
    """The lines of `after` that came behind `before`, where both are the end of one growing log."""
    for start in range(len(before) + 1):
        overlap = before[start:]
        if list(after[: len(overlap)]) == list(overlap):
            return after[len(overlap) :]
    return after


def _follow(lorry: LorryClient, job_id: str, shown: Sequence[str]) -> None:
    try:
        while True:
            has_ended = lorry.job(job_id)["status"] in FINAL_STATUSES  # asked first: the log after it is complete
            lines = lorry.logs(job_id, tail=_FOLLOW_TAIL)
            _print(new_lines(shown, lines))
            shown = lines
            if has_ended:
                return
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _print(lines: Sequence[str]) -> None:
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines)
    sys.stdout.flush()
