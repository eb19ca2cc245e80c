"""`lorry metrics`, `lorry samples`: what a job measured and what it painted."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.answers import Artifact, Metric
from cli.client import DEFAULT_URL
from cli.commands.download import fetch
from cli.commands.jobs import JobArgument
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import CheckFailed
from cli.plot import plot
from cli.text import number, print_json, print_table, size

_COLUMNS = ("ATTEMPT", "STEP", "EPOCH", "LOSS", "VAL LOSS", "LEARNING RATE", "IMAGES/S")
_SAMPLE_COLUMNS = ("FILE", "SIZE", "ATTEMPT", "ID")
_PLOT_HEIGHT = 16  # lines
_PLOT_MARGIN = 12  # columns, for the figures beside it
_PLOT_POINTS = 1000  # more than the widest terminal has dots


class Series(StrEnum):
    LOSS = "loss"
    VAL_LOSS = "val_loss"
    LEARNING_RATE = "learning_rate"
    THROUGHPUT = "throughput"
    GPU_UTILIZATION = "gpu_utilization"
    GPU_MEMORY_BYTES = "gpu_memory_bytes"


def register(app: typer.Typer) -> None:
    app.command()(metrics)
    app.command()(samples)


def metrics(
    job: JobArgument,
    *,
    is_plotted: Annotated[bool, typer.Option("--plot", help="Draw a curve instead of a table.")] = False,
    series: Annotated[Series, typer.Option(help="What to draw.")] = Series.LOSS,
    points: Annotated[int, typer.Option(min=10, max=10_000, help="Steps to show; extremes always stay.")] = 40,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what a job measured, step by step."""
    with connect(url) as lorry:
        found = lorry.metrics(job, points=_PLOT_POINTS if is_plotted else points)
    if as_json:
        print_json(found)
    elif is_plotted:
        print("\n".join(_curve(found, series, job)))
    else:
        print_table(_COLUMNS, map(_row, found), empty="Nothing was measured yet.")


def samples(
    job: JobArgument,
    into: Annotated[Path | None, typer.Option(help="Download them into this folder.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List the pictures that a job painted while it trained, or download them."""
    with connect(url) as lorry:
        found = [artifact for artifact in lorry.artifacts(job) if artifact["kind"] == "sample"]
        saved = [] if into is None else [fetch(lorry, sample, into) for sample in found]
    if as_json:
        print_json([{**sample, "saved_as": str(path)} for sample, path in zip(found, saved, strict=True)] or found)
    elif saved:
        print("\n".join(map(str, saved)))
    else:
        print_table(_SAMPLE_COLUMNS, map(_sample_row, found), empty="No samples yet.")


def _curve(found: Sequence[Metric], series: Series, job_id: str) -> list[str]:
    width = max(shutil.get_terminal_size().columns - _PLOT_MARGIN, _PLOT_MARGIN)
    values = [(one["step"], one.get(series.value)) for one in found]
    known = [(float(step), float(value)) for step, value in values if isinstance(value, int | float)]
    drawn = plot(known, width=width, height=_PLOT_HEIGHT)
    if not drawn:
        raise CheckFailed(f"Job {job_id} has measured no {series.value} yet.")
    return [f"{series.value} by step", *drawn]


def _row(metric: Metric) -> tuple[str, ...]:
    return (
        str(metric["attempt"]),
        str(metric["step"]),
        str(metric["epoch"]),
        number(metric["loss"]),
        number(metric["val_loss"]),
        number(metric["learning_rate"], digits=7),
        number(metric["throughput"], digits=2),
    )


def _sample_row(sample: Artifact) -> tuple[str, ...]:
    return (sample["path"], size(sample["size_bytes"]), str(sample["attempt"]), sample["id"])
