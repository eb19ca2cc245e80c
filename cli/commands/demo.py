"""`lorry demo`: the whole way once, on sample photographs."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from cli.demo import run_demo


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    data_dir: Annotated[Path, typer.Option(help="Where the demo keeps everything it makes.")] = Path("lorry-data/demo"),
) -> None:
    """Train an adapter on sample photographs with a server of its own, and verify the file."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)  # every way to stop it cancels the job and stops the server
    print(f"adapter: {run_demo(data_dir)}")
