"""`lorry logs`: what a job's container printed."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Annotated

import typer

from cli.answers import FINAL_STATUSES
from cli.client import DEFAULT_URL, LorryClient
from cli.commands.jobs import JobArgument
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import ExitCode, LorryApiError
from cli.text import print_json, printable
from cli.watching import told

_FOLLOW_TAIL = 1000  # lines the container may print between two looks without one being missed
_POLL_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    app.command()(logs)


def logs(
    job: JobArgument,
    *,
    tail: Annotated[int, typer.Option(min=1, max=10_000, help="Number of last lines.")] = 200,
    is_whole: Annotated[bool, typer.Option("--all", help="Every line, however many.")] = False,
    should_follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Print what a job's container printed."""
    with connect(url) as lorry:
        if should_follow and not as_json:
            _follow(lorry, job, tail)
            return
        parts = lorry.whole_log(job) if is_whole else [lorry.logs(job, tail=tail)]
        if as_json:
            print_json([line for part in parts for line in part])
            return
        for part in parts:
            _print(part)


def new_lines(before: Sequence[str], after: Sequence[str]) -> Sequence[str]:
    """The lines of `after` that came behind `before`, where both are the end of one growing log."""
    for start in range(len(before) + 1):
        overlap = before[start:]
        if list(after[: len(overlap)]) == list(overlap):
            return after[len(overlap) :]
    return after


def _follow(lorry: LorryClient, job_id: str, tail: int) -> None:
    try:
        shown: deque[str] = deque(maxlen=_FOLLOW_TAIL)
        try:
            _follow_stream(lorry, job_id, tail, shown)
        except LorryApiError:  # a server that has no streams, or an error that its log has too
            _follow_log(lorry, job_id, tail, list(shown))
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _follow_stream(lorry: LorryClient, job_id: str, tail: int, shown: deque[str]) -> None:
    """The last of what was printed so far, which the first word about the job's progress stands behind, and then all
    that comes."""
    earlier: deque[str] | None = deque(maxlen=tail)
    for event in told(lorry, job_id, after=None, note=_note, poll_seconds=_POLL_SECONDS):
        lines: Sequence[str] = event.data["lines"] if event.name == "log" else ()
        if earlier is not None:
            earlier.extend(lines)
            if event.name != "progress":
                continue
            lines, earlier = tuple(earlier), None
        _print(lines)
        shown.extend(lines)


def _follow_log(lorry: LorryClient, job_id: str, tail: int, shown: Sequence[str]) -> None:
    if not shown:
        shown = lorry.logs(job_id, tail=tail)
        _print(shown)
    while True:
        has_ended = lorry.job(job_id)["status"] in FINAL_STATUSES  # asked first: the log after it is complete
        lines = lorry.logs(job_id, tail=_FOLLOW_TAIL)
        _print(new_lines(shown, lines))
        shown = lines
        if has_ended:
            return
        time.sleep(_POLL_SECONDS)


def _note(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _print(lines: Sequence[str]) -> None:
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines)
    sys.stdout.flush()
