"""How long the store takes for what it does most, on both dialects, and what of that is Lorry's own.

Submitting a job, pages of the lists that a user with very many jobs and an administrator look at, and a trainer's
metrics, which come with the place that they were read up to. The reference is the bare driver (sqlite3, psycopg) on the
same database with the same statements' work: the same rows in the same number of transactions, without Lorry's objects
and SQLAlchemy.

Run from the repository: `PYTHONPATH=. .venv/bin/python bench/store.py`. A Postgres of its own is started and removed.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import psycopg
import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, connect, migrate
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.rows import event_row, job_row, metric_row
from orchestrator.adapters.sql.tables import training_events, training_jobs, training_metrics
from orchestrator.domain.events import Metric, status_event
from orchestrator.domain.job import Attempt, Job, Progress
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.job_store import JobFilter, JobOrder
from tests.factories import NOW, make_attempt, make_job
from tests.postgres import running_postgres

USER = "00000000-0000-4000-8000-000000000000"
PAGE_SIZE = 50
PAGES = (1, 100)
METRICS = 100  # in one transaction
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class JobList:
    wanted: JobFilter
    condition: str  # the same in SQL
    values: tuple[str, ...] = ()
    order: str = "created_at DESC, id DESC"


BY_BEST = "best_loss ASC NULLS LAST, created_at, id"
LISTS = {
    "a user's": JobList(JobFilter(user_id=USER), "user_id = ?", (USER,)),
    "completed": JobList(
        JobFilter(user_id=USER, statuses=(JobStatus.COMPLETED,)), "user_id = ? AND status = ?", (USER, "completed")
    ),
    "active": JobList(
        JobFilter(user_id=USER, statuses=(JobStatus.PENDING, JobStatus.RUNNING)),
        "user_id = ? AND status IN (?, ?)",
        (USER, "pending", "running"),
    ),
    "everybody's": JobList(JobFilter(), "TRUE"),
    "best loss": JobList(JobFilter(user_id=USER, order=JobOrder.BEST_LOSS), "user_id = ?", (USER,), BY_BEST),
    "best failed": JobList(
        JobFilter(user_id=USER, order=JobOrder.BEST_LOSS, statuses=(JobStatus.FAILED,)),
        "user_id = ? AND status = ?",
        (USER, "failed"),
        BY_BEST,
    ),
    "everybody's best": JobList(JobFilter(order=JobOrder.BEST_LOSS), "TRUE", (), BY_BEST),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds; `ratio` is our p50 to the bare driver's."""

    p50_ms: float
    p95_ms: float
    bare_p50_ms: float
    ratio: float


class Bare:
    """The same database through its driver alone."""

    def __init__(self, database: Database, url: str) -> None:
        self._is_sqlite = database.is_sqlite
        self._dialect = database.engine.dialect
        if self._is_sqlite:
            self._connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA foreign_keys=ON")
        else:
            self._connection = psycopg.connect(url)

    def write(self, *rows: tuple[sa.Table, list[dict[str, Any]]]) -> None:
        cursor = self._connection.cursor()
        for table, values in rows:
            names = list(values[0])
            marks = ", ".join("?" if self._is_sqlite else "%s" for _ in names)
            statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our names
            cursor.executemany(statement, [[self._plain(row[name]) for name in names] for row in values])
        self._connection.commit()

    def read(self, statement: str, *values: Any) -> None:
        statement = statement if self._is_sqlite else statement.replace("?", "%s")
        cursor = self._connection.cursor()
        cursor.execute(statement, values)
        cursor.fetchall()
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict | list | tuple):
            return json.dumps(value)
        return str(value) if self._is_sqlite and hasattr(value, "isoformat") else value


def compare(ours: Callable[[], object], bare: Callable[[], object], rounds: int) -> Figure:
    """In turns, so that both meet the same machine."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(_milliseconds(ours))
        theirs.append(_milliseconds(bare))
    our_p50, our_p95 = _percentiles(mine)
    bare_p50, _ = _percentiles(theirs)
    return Figure(round(our_p50, 2), round(our_p95, 2), round(bare_p50, 2), round(our_p50 / bare_p50, 2))


def submitting(store: SqlJobStore, bare: Bare, rounds: int) -> Figure:
    def ours() -> None:
        job = make_job(user_id="submitter")
        store.add(job, status_event(None, job, "Submitted."))

    def theirs() -> None:
        job = make_job(user_id="submitter")
        event = event_row(status_event(None, job, "Submitted."))
        bare.write((training_jobs, [job_row(job)]), (training_events, [event]))

    return compare(ours, theirs, rounds)


def listing(store: Callable[[], SqlJobStore], bare: Bare, of: JobList, page: int, rounds: int) -> Figure:
    """A store that has not counted this list before counts it; one that has keeps so large a total for seconds."""

    def theirs() -> None:
        bare.read(f"SELECT count(*) FROM training_jobs WHERE {of.condition}", *of.values)  # noqa: S608 - our words
        bare.read(
            f"SELECT * FROM training_jobs WHERE {of.condition} ORDER BY {of.order} LIMIT ? OFFSET ?",  # noqa: S608
            *of.values,
            PAGE_SIZE,
            (page - 1) * PAGE_SIZE,
        )

    return compare(lambda: store().list(of.wanted, page=page, page_size=PAGE_SIZE), theirs, rounds)


def listings(database: Database, store: SqlJobStore, bare: Bare, rounds: int) -> dict[str, Figure]:
    figures = {}
    for name, of in LISTS.items():
        figures[f"{name}, first look"] = listing(lambda: SqlJobStore(database), bare, of, 1, rounds)
        for page in PAGES:
            figures[f"{name}, page {page}"] = listing(lambda: store, bare, of, page, rounds)
    return figures


def recording(store: SqlJobStore, bare: Bare, rounds: int) -> Figure:
    """METRICS rows and the attempt's new place, as one look at a busy trainer's event file brings them."""
    job, attempt = _running(store, 1)
    other, _ = _running(store, 2)
    places = iter(range(1, rounds + 1))
    current = attempt

    def ours() -> None:
        nonlocal current
        place = next(places)
        after = current.evolve(events_offset=place)
        first = place * METRICS
        store.advance(job, current, after, metrics=[_metric(job, first + number) for number in range(METRICS)])
        current = after

    steps = iter(range(0, rounds * METRICS, METRICS))

    def theirs() -> None:
        first = next(steps)
        bare.write((training_metrics, [metric_row(_metric(other, first + number)) for number in range(METRICS)]))

    return compare(ours, theirs, rounds)


def fill(database: Database, count: int) -> None:
    """Jobs of one user, one a minute, all of them over."""
    for first in range(0, count, _BATCH):
        jobs = [_ended(first + number) for number in range(min(_BATCH, count - first))]
        with database.write() as connection:
            connection.execute(training_jobs.insert(), [job_row(job) for job in jobs])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(
            "ANALYZE" if database.is_sqlite else "VACUUM ANALYZE"
        )  # as the server does by itself


def measure(url: str, jobs: int, rounds: int) -> dict[str, Figure]:
    database = connect(url)
    migrate(database)
    store, bare = SqlJobStore(database), Bare(database, url)
    try:
        fill(database, jobs)
        return {
            "submit": submitting(store, bare, rounds),
            **listings(database, store, bare, rounds),
            f"{METRICS}_metrics": recording(store, bare, rounds),
        }
    finally:
        bare.close()
        database.close()


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """An empty one of each dialect, as safe against a power cut as an installation's."""
    with tempfile.TemporaryDirectory(prefix="lorry-bench-") as folder, running_postgres(speed=()) as server:
        yield {"sqlite": f"sqlite:///{Path(folder, 'lorry.db')}", "postgres": server.create_database()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    with databases() as urls:
        results = {dialect: measure(url, arguments.jobs, arguments.rounds) for dialect, url in urls.items()}
    print(f"{'':10}{'':26}{'p50':>10}{'p95':>10}{'bare p50':>10}{'ratio':>8}")
    for dialect, figures in results.items():
        for name, figure in figures.items():
            print(
                f"{dialect:10}{name:26}{figure.p50_ms:>7.2f} ms{figure.p95_ms:>7.2f} ms"
                f"{figure.bare_p50_ms:>7.2f} ms{figure.ratio:>8.2f}"
            )
    rates = {
        dialect: round(METRICS / figures[f"{METRICS}_metrics"].p50_ms * 1_000) for dialect, figures in results.items()
    }
    shown = {
        dialect: {name: asdict(figure) for name, figure in figures.items()} for dialect, figures in results.items()
    }
    print(json.dumps({"jobs": arguments.jobs, "metrics_per_second": rates, **shown}))


def _ended(number: int) -> Job:
    at = NOW + timedelta(minutes=number)
    status = JobStatus.FAILED if number % 20 == 0 else JobStatus.COMPLETED
    # In no order of their age, and a tenth without any.
    best = None if number % 10 == 0 else number * 7_919 % 100_003 / 100_003
    progress = Progress(best_loss=best, best_loss_step=100 if best is not None else None)
    job = replace(make_job(user_id=USER), name=f"job {number}", status=status, created_at=at, updated_at=at)
    return replace(job, progress=progress)


def _metric(job: Job, step: int) -> Metric:
    return Metric(
        job_id=job.id,
        attempt=1,
        step=step,
        epoch=0,
        loss=0.5,
        val_loss=None,
        learning_rate=1e-4,
        throughput=2.0,
        gpu_utilization=50.0,
        gpu_memory_bytes=2**33,
        recorded_at=NOW,
    )


def _running(store: SqlJobStore, slot: int) -> tuple[Job, Attempt]:
    job = make_job()
    store.add(job, status_event(None, job, "Submitted."))
    claimed = job.claimed(slot=slot, devices=(), at=NOW)
    attempt = make_attempt(claimed, devices=())
    return store.claim(claimed, attempt, status_event(job, claimed, "Claimed.")), attempt


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1_000


def _percentiles(values: list[float]) -> tuple[float, float]:
    cut = quantiles(values, n=100, method="inclusive")
    return cut[49], cut[94]


if __name__ == "__main__":
    main()
