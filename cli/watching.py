"""Follow one job to its end: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Protocol, Self, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from cli.answers import FINAL_STATUSES, Job, QueuePlace
from cli.client import LorryClient
from cli.client.streams import ENDS, StreamEvent
from cli.errors import CliError, LorryApiError
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
    """Show the job until it ends and return it as it ended: told by its stream, or asked for where there is none."""
    job = lorry.job(job_id)
    display.show(job)
    try:
        if job["status"] not in FINAL_STATUSES:
            for event in told(lorry, job_id, after="now", note=display.note, poll_seconds=poll_seconds):
                job = _after(event, job, lambda: _look_again(lorry, job_id, display, poll_seconds))
                display.show(job)
    except LorryApiError:  # a server that has no streams, or no more of them, or an error that the job has too
        job = _look_again(lorry, job_id, display, poll_seconds)
        display.show(job)
    while job["status"] not in FINAL_STATUSES:
        time.sleep(poll_seconds)
        job = _look_again(lorry, job_id, display, poll_seconds)
        display.show(job)
    return job


def told(
    lorry: LorryClient, job_id: str, *, after: str | None, note: Callable[[str], None], poll_seconds: float
) -> Iterator[StreamEvent]:
    """What happens to a job until it ends, each once, over as many connections as that takes.

    Raises LorryApiError where there is no stream, ServerUnreachable for a server that is away for PATIENCE_SECONDS.
    """
    deadline: float | None = None
    while True:
        try:
            for event in lorry.stream(job_id, after=after):
                after, deadline = event.id or after, None
                yield event
                if event.name in ENDS:
                    return
        except CliError as error:
            if not error.is_transient or (deadline is not None and time.monotonic() > deadline):
                raise
            if deadline is None:
                note(f"{error}\nThe job goes on meanwhile; trying again.")
                deadline = time.monotonic() + PATIENCE_SECONDS
        time.sleep(poll_seconds)


def _after(event: StreamEvent, job: Job, ask: Callable[[], Job]) -> Job:
    """The job as it is now; asked for where the stream does not tell all of it: its end, and its place in the queue."""
    if event.name == "progress" and job["status"] == event.data["status"] != "queued":
        return cast("Job", {**job, **{name: value for name, value in event.data.items() if name in job}})
    is_telling = event.name in ("status", "progress", *ENDS) or (event.name == "ping" and job["status"] == "queued")
    return ask() if is_telling else job


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
        place = job["queue"]
        when = f"; {start_of(place)}" if place["eta_seconds"] is not None else ""
        return printable(f"place {place['position']}: {place['reason']}{when}")
    known = []
    if job["total_steps"]:
        known.append(f"step {job['current_step']}/{job['total_steps']}")
    if "loss" in job["metrics"]:
        known.append(f"loss {number(job['metrics']['loss'])}")
    if job["eta_seconds"] is not None:
        known.append(f"{duration(job['eta_seconds'])} left")
    return "  ".join(known)


def start_of(place: QueuePlace) -> str:
    """When a queued job starts, and how sure that is."""
    if place["eta_seconds"] is None:
        return "nobody can know yet when it starts"
    about = f"starts in about {duration(place['eta_seconds'])}"
    low, high = place["eta_low_seconds"], place["eta_high_seconds"]
    return about if low is None or low == high else f"{about} ({duration(low)} to {duration(high)})"


def outcome(job: Job) -> str:
    """The sentence that ends a watch."""
    name = f"Job {job['id']}"
    if job["status"] == "completed":
        return f"{name} completed. Fetch the adapter with: lorry download {job['id']}"
    reason = f" ({job['end_reason']})" if job["end_reason"] else ""
    return f"{name} {job['status']}{reason}: {printable(job['error_message'] or 'no reason was given')}"
