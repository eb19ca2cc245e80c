"""What a pass costs with a long queue and many finished containers, what memory the orchestrator takes, and how fast it
drains jobs that do nothing, beside bare docker-py running the same container with the same concurrency.

While passes are measured, two jobs of a user run and two devices are free, but all who wait are that user's: each pass
reads and judges the whole queue and starts nothing. The finished containers stay (a dry run) but for the last passes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from docker import APIClient
from serving import (
    IMAGE,
    connect_engine,
    remove_containers,
    report_failure,
    serving,
    submission,
    upload_sample,
    wait_until,
)

from cli.answers import FINAL_STATUSES
from cli.client import LorryClient
from orchestrator.adapters.sql import SqlJobStore
from orchestrator.adapters.sql.rows import job_row
from orchestrator.adapters.sql.tables import training_jobs
from orchestrator.bootstrap import Lorry, build
from orchestrator.domain.container import LABEL_ATTEMPT, LABEL_INSTANCE, LABEL_JOB
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.json_log import configure_json_log
from orchestrator.settings import Settings

_LABEL = "io.lorry.bench"
_QUEUES = (10, 100, 1_000, 10_000)
_PASSES = 7
_MAKERS = 8  # threads that make containers
_WATCHED_SECONDS = 10.0
_DRAIN_ROUNDS = 5
_DRAIN_SECONDS = 300.0
_NOT_STARTED = ("queued", "pending")
_DRAIN_PAUSE_SECONDS = 0.25  # asking more often would take a part of the two cores from what is measured


@dataclass(frozen=True, slots=True)
class Passes:
    """`pass_seconds` by the number of queued jobs and `sweep_pass_seconds`, which removes containers, are medians."""

    finished_containers: int
    pass_seconds: dict[int, float]
    growth_per_tenfold: list[float]
    sweep_pass_seconds: float
    orchestrator_peak_mib: float


@dataclass(frozen=True, slots=True)
class Drain:
    """Seconds from a full queue and free devices until the last container is gone."""

    jobs: int
    concurrency: int
    bare_seconds: float
    ours_seconds: float
    drain_ratio: float


# -- passes ---------------------------------------------------------------------------------------------------------


def measure_passes(engine: APIClient, finished: int) -> Passes:
    with busy_installation(engine) as (settings, holder):
        queued = {}
        with opened(settings) as lorry:
            store(lorry, leave_finished(engine, settings.instance, holder, finished))
            present = 0
            for count in _QUEUES:
                store(lorry, [like(holder) for _ in range(count - present)])
                present = count
                queued[count] = pass_seconds(lorry)
        peak_mib = peak_of_process(settings)
        with opened(settings.model_copy(update={"orphan_dry_run": False})) as lorry:
            sweeping = pass_seconds(lorry)
    return Passes(
        finished_containers=finished,
        pass_seconds={count: round(seconds, 4) for count, seconds in queued.items()},
        growth_per_tenfold=[round(later / earlier, 2) for earlier, later in pairwise(queued.values())],
        sweep_pass_seconds=round(sweeping, 4),
        orchestrator_peak_mib=round(peak_mib, 1),
    )


@contextmanager
def busy_installation(engine: APIClient) -> Iterator[tuple[Settings, Job]]:
    """Settings of an installation whose server has ended while two jobs of a user go on; one of them."""
    with serving(engine, LORRY_CPU_SLOTS="4", LORRY_ORPHAN_DRY_RUN="true") as server:
        with LorryClient(server.url, server.create_token("bench")) as lorry:
            request = submission(upload_sample(lorry), "fake:hang=1")
            ids = [lorry.submit(request)["job_id"] for _ in range(2)]
            wait_until(lambda: all(lorry.job(id_)["status"] == "running" for id_ in ids), "the two running jobs")
        server.__exit__()
        settings = Settings(data_dir=server.log.parent, instance=server.instance)
        bare = build(settings)
        holder = SqlJobStore(bare.database).get(ids[0])
        bare.close()
        yield settings, holder


@contextmanager
def opened(settings: Settings) -> Iterator[Lorry]:
    """An orchestrator in this process that leads, and does nothing by itself."""
    lorry = build(settings)
    leadership = lorry.orchestration._leadership  # noqa: SLF001 - single passes, without the loop around them
    wait_until(leadership.acquire, "the lead")
    try:
        yield lorry
    finally:
        leadership.release()
        lorry.close()


def pass_seconds(lorry: Lorry) -> float:
    """The median of some passes; the first one warms up."""
    seconds = []
    for _ in range(1 + _PASSES):
        began = time.perf_counter()
        lorry.orchestration._reconciler.run_once()  # noqa: SLF001 - the same
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:])


def leave_finished(engine: APIClient, instance: str, holder: Job, count: int) -> list[Job]:
    """Completed jobs whose exited containers are still on the engine."""
    jobs = [
        like(holder, status=JobStatus.RUNNING, attempt=1).ended(EndReason.ADAPTER_VERIFIED, at=datetime.now(UTC))
        for _ in range(count)
    ]

    def leave(job: Job) -> None:
        labels = {LABEL_INSTANCE: instance, LABEL_JOB: job.id, LABEL_ATTEMPT: "1"}
        host = engine.create_host_config(network_mode="none")
        created = engine.create_container(IMAGE, ["true"], name=f"training-{job.id}", labels=labels, host_config=host)
        engine.start(created["Id"])

    with ThreadPoolExecutor(_MAKERS) as pool:
        list(pool.map(leave, jobs))
    return jobs


def like(job: Job, **changes: Any) -> Job:
    """A new queued job with the same wishes of the same user."""
    fresh = {"status": JobStatus.QUEUED, "attempt": 0, "slot": None, "container_id": None, "gpu_ids": ()}
    return replace(job, id=str(uuid.uuid4()), started_at=None, version=1, **fresh | changes)


def store(lorry: Lorry, jobs: list[Job]) -> None:
    """At once: one by one, ten thousand take minutes."""
    with lorry.database.write() as connection:
        connection.execute(training_jobs.insert(), [job_row(job) for job in jobs])


def peak_of_process(settings: Settings) -> float:
    """The most resident memory, in MiB, of a `lorry orchestrate` at work on the same store for a while."""
    environment = os.environ | {"LORRY_DATA_DIR": str(settings.data_dir), "LORRY_INSTANCE": settings.instance}
    with (settings.data_dir / "orchestrate.log").open("wb") as log:
        process = subprocess.Popen((sys.executable, "-m", "cli.main", "orchestrate"), env=environment, stderr=log)
    try:
        time.sleep(_WATCHED_SECONDS)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    finally:
        process.terminate()
        process.wait()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


# -- drain ----------------------------------------------------------------------------------------------------------


def measure_drain(engine: APIClient, jobs: int, concurrency: int) -> Drain:
    """In rounds that take turns, so that a busy machine is busy for both."""
    limits = {"LORRY_CPU_SLOTS": str(concurrency), "LORRY_MAX_ACTIVE_JOBS_PER_USER": str(concurrency)}
    count, ours, bare = jobs // _DRAIN_ROUNDS, 0.0, 0.0
    with serving(engine, **limits) as server, LorryClient(server.url, server.create_token("bench")) as lorry:
        drained = Drained(lorry, engine, server.log.parent / "outputs", f"{LABEL_INSTANCE}={server.instance}")
        dataset_id = upload_sample(lorry)
        for _ in range(_DRAIN_ROUNDS):
            seconds, spec = drained.seconds(dataset_id, count, concurrency)
            ours += seconds
            bare += bare_seconds(engine, spec, count, concurrency)
    return Drain(count * _DRAIN_ROUNDS, concurrency, round(bare, 1), round(ours, 1), round(ours / bare, 3))


@dataclass(frozen=True, slots=True)
class Drained:
    """A server whose queue is filled behind jobs that hold every device, and then drained."""

    lorry: LorryClient
    engine: APIClient
    outputs: Path
    label: str

    def seconds(self, dataset_id: str, count: int, concurrency: int) -> tuple[float, dict[str, Any]]:
        """And the container of one of the jobs, to be made bare; the gate it waits at is open by then."""
        gated = submission(dataset_id, "fake:gate=1", "fake:seconds=0")
        holders = [self.lorry.submit(gated)["job_id"] for _ in range(concurrency)]
        wait_until(lambda: all(self.status(id_) == "running" for id_ in holders), "the jobs that hold the devices")
        spec = spec_of(self.engine, holders[0])
        waiting = [self.lorry.submit(submission(dataset_id, "fake:seconds=0"))["job_id"] for _ in range(count)]
        for job_id in holders:
            (self.outputs / job_id / "gate").touch()
        wait_until(
            lambda: self.status(waiting[-1]) not in _NOT_STARTED,
            "the start of the last job",
            within_seconds=_DRAIN_SECONDS,
            pause_seconds=_DRAIN_PAUSE_SECONDS,
        )
        wait_until(lambda: self.is_over(waiting[-1]), "the end of all jobs")
        # From the moment that the first device was free: how long its holder took to notice the gate is not ours.
        freed_at = min(str(self.lorry.job(job_id)["completed_at"]) for job_id in holders)
        seconds = (datetime.now(UTC) - datetime.fromisoformat(freed_at)).total_seconds()
        ends = [self.status(id_) for id_ in waiting]
        if set(ends) != {"completed"}:
            sys.exit(f"error: of {count} jobs {ends.count('completed')} completed.")
        return seconds, spec

    def is_over(self, last_id: str) -> bool:
        is_ended = self.status(last_id) in FINAL_STATUSES
        return is_ended and not self.engine.containers(all=True, filters={"label": self.label})

    def status(self, job_id: str) -> str:
        return str(self.lorry.job(job_id)["status"])


def spec_of(engine: APIClient, job_id: str) -> dict[str, Any]:
    """The body of the engine's create call for a container like this job's; its labels are the bench's own."""
    details = engine.inspect_container(f"training-{job_id}")
    return {**details["Config"], "Hostname": "", "Labels": {_LABEL: "bare"}, "HostConfig": details["HostConfig"]}


def bare_seconds(engine: APIClient, spec: dict[str, Any], count: int, concurrency: int) -> float:
    """Create, start, wait, remove, so many times with so many threads. The gate of the spec's job is open by now."""

    def run_one(_: int) -> None:
        container_id = engine.create_container_from_config(spec, f"bench-{uuid.uuid4()}")["Id"]  # type: ignore[no-untyped-call]
        engine.start(container_id)
        ended = engine.wait(container_id)
        engine.remove_container(container_id, v=True)
        if ended["StatusCode"]:
            sys.exit(f"error: a bare container ended with {ended['StatusCode']}.")

    began = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(run_one, range(count)))
    return time.perf_counter() - began


def show(passes: Passes, drain: Drain) -> None:
    print(f"passes with {passes.finished_containers} finished containers")
    for count, seconds in passes.pass_seconds.items():
        print(f"  {count:>6} queued {1e3 * seconds:>8.1f} ms")
    print(f"  {'removing':>13} {1e3 * passes.sweep_pass_seconds:>8.1f} ms")
    print(f"memory at the most {passes.orchestrator_peak_mib:.0f} MiB")
    print(f"{drain.jobs} jobs, {drain.concurrency} at a time: bare {drain.bare_seconds} s, ours {drain.ours_seconds} s")
    print(json.dumps(asdict(passes) | asdict(drain)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--concurrency", type=int, default=2)
    arguments = parser.parse_args()
    configure_json_log("ERROR")
    engine = connect_engine()
    try:
        passes = measure_passes(engine, arguments.containers)
        drain = measure_drain(engine, arguments.jobs, arguments.concurrency)
    finally:
        remove_containers(engine, _LABEL)
    show(passes, drain)


if __name__ == "__main__":
    report_failure(main)
