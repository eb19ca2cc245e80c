"""How far a transfer is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from cli.client.files import OnBytes
from cli.text import printable


@contextmanager
def transfer_bar(what: str, size_bytes: int) -> Iterator[OnBytes]:
    """Yields what is to be told of bytes that came or went. It draws on stderr: stdout is for results."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(printable(what), total=size_bytes)
        yield lambda count: progress.advance(bar, count)
