"""Follow one job to its end: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from cli.answers import FINAL_STATUSES, Job
from cli.client import LorryClient
from cli.errors import CliError
from cli.text import duration, number, printable

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 120.0  # how long a server may be away, for instance while it is restarted
_LINE_EVERY_PERCENT = 5.0


class Display(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, job: Job) -> None: ...

    def note(self, sentence: str) -> None: ...


def follow(lorry: LorryClient, job_id: str, display: Display, *, poll_seconds: float = POLL_SECONDS) -> Job:
    """Show the job until it ends and return it as it ended."""
    job = lorry.job(job_id)
    while True:
        display.show(job)
        if job["status"] in FINAL_STATUSES:
            return job
        time.sleep(poll_seconds)
        job = _look_again(lorry, job_id, display, poll_seconds)


def _look_again(lorry: LorryClient, job_id: str, display: Display, poll_seconds: float) -> Job:
    """The job now; a server that is away is waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    has_said_so = False
    while True:
        try:
            return lorry.job(job_id)
        except CliError as error:
            if not error.is_transient or time.monotonic() > deadline:
                raise
            if not has_said_so:
                display.note(f"{error}\nThe job goes on meanwhile; trying again.")
                has_said_so = True
        time.sleep(poll_seconds)


def display_on(stream: TextIO) -> Display:
    console = Console(file=stream)
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(stream)


class LiveDisplay:
    """One line that is redrawn: phase, bar, step, loss, time left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[facts]}", markup=False),
            console=console,
        )
        self._task = self._progress.add_task("waiting", total=100.0, facts="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, job: Job) -> None:
        self._progress.update(self._task, description=stage(job), completed=job["progress"], facts=facts(job))

    def note(self, sentence: str) -> None:
        self._progress.console.print(sentence, markup=False)


class PlainDisplay:
    """A line whenever the stage changes or training moved on by five percent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown: tuple[str, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.flush()

    def show(self, job: Job) -> None:
        moment = (stage(job), int(job["progress"] // _LINE_EVERY_PERCENT))
        if moment != self._shown:
            self._shown = moment
            self.note("  ".join(part for part in (f"{stage(job):<10}", f"{job['progress']:3.0f}%", facts(job)) if part))

    def note(self, sentence: str) -> None:
        print(sentence, file=self._stream, flush=True)


def stage(job: Job) -> str:
    """The phase of a running job, the status of any other."""
    return printable(job["phase"] or "running") if job["status"] == "running" else job["status"]


def facts(job: Job) -> str:
    """Step, loss and time left, as far as they are known; for a queued job what it waits for."""
    if job["status"] == "queued" and job["queue"] is not None:
        return printable(f"place {job['queue']['position']}: {job['queue']['reason']}")
    known = []
    if job["total_steps"]:
        known.append(f"step {job['current_step']}/{job['total_steps']}")
    if "loss" in job["metrics"]:
        known.append(f"loss {number(job['metrics']['loss'])}")
    if job["eta_seconds"] is not None:
        known.append(f"{duration(job['eta_seconds'])} left")
    return "  ".join(known)


def outcome(job: Job) -> str:
    """The sentence that ends a watch."""
    name = f"Job {job['id']}"
    if job["status"] == "completed":
        return f"{name} completed. Fetch the adapter with: lorry download {job['id']}"
    reason = f" ({job['end_reason']})" if job["end_reason"] else ""
    return f"{name} {job['status']}{reason}: {printable(job['error_message'] or 'no reason was given')}"
