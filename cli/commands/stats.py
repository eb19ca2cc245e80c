"""`lorry stats`: jobs counted."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from cli.answers import Statistics, Tally
from cli.client import DEFAULT_URL
from cli.connection import JsonOption, UrlOption, connect
from cli.text import duration, number, print_json, print_table

_COLUMNS = ("JOBS OF", "TOTAL", "COMPLETED", "FAILED", "SUCCESS", "WAITED", "RAN", "GPU HOURS", "COST")


class Grouping(StrEnum):
    DAY = "day"
    MODEL = "model"
    USER = "user"


def register(app: typer.Typer) -> None:
    app.command()(stats)


def stats(
    *,
    by: Annotated[Grouping, typer.Option(help="What jobs are put together by; user only with --everybody.")] = (
        Grouping.MODEL
    ),
    since: Annotated[
        str | None, typer.Option(help="From when on, such as 2026-11-01T00:00:00Z; otherwise the last 30 days.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until when; otherwise until now.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="All users' jobs, for administrators.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Count jobs: how many succeed, how long they wait and run, GPU hours and costs."""
    if by is Grouping.USER and not everybody:
        raise typer.BadParameter("goes with --everybody alone", param_hint="--by user")
    with connect(url) as lorry:
        found = lorry.statistics(since=since, until=until, of_everybody=everybody)
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, _rows(found, by), empty="No jobs.")


def _rows(found: Statistics, by: Grouping) -> Iterator[tuple[str, ...]]:
    groups = {Grouping.DAY: found["by_day"], Grouping.MODEL: found["by_base_model"], Grouping.USER: found["by_user"]}
    for name, tally in (groups[by] or {}).items():
        yield _row(name, tally, found["currency"])
    yield _row("all", found, found["currency"])


def _row(name: str, tally: Tally, currency: str) -> tuple[str, ...]:
    success, cost = tally["success_rate"], tally["cost"]
    return (
        name,
        str(tally["total"]),
        str(tally["jobs"].get("completed", 0)),
        str(tally["jobs"].get("failed", 0)),
        f"{success:.0%}" if success is not None else "-",
        duration(tally["mean_queue_seconds"]),
        duration(tally["mean_run_seconds"]),
        number(tally["gpu_hours"], 2),
        f"{cost:.2f} {currency}" if cost is not None else "-",
    )
