"""Requests a second, p50, p99 and the server's CPU time a request: submitting, looking, listing, metrics, beside
/api/health of the same server.

The only device is held by a job that waits for ever, so submissions queue and no container starts while we measure.
Clients are threads of this program: the ratios to /api/health, measured the same way, are what carries over. They ask
again as soon as they are answered, so that all together take what the server has; or as often as the rate limits that
Lorry comes with let a user ask, which is the most that so many users can ask of it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from statistics import quantiles

import httpx2
from limits import RateLimitItem, parse
from serving import connect_engine, report_failure, serving, submission, upload_sample, wait_until, wait_until_ended

from cli.client import LorryClient
from cli.demo_server import DemoServer
from cli.errors import CheckFailed
from orchestrator.settings import Settings

_QUESTIONS = 7  # of each client, at least: a hundredth of 16 clients' is one then

Ask = Callable[[httpx2.Client], httpx2.Response]


class Pace(StrEnum):
    """How soon a client asks again."""

    AT_ONCE = "at once"
    ALLOWED = "allowed"


LOADS = ((1, Pace.AT_ONCE), (16, Pace.AT_ONCE), (64, Pace.AT_ONCE), (16, Pace.ALLOWED))


@dataclass(frozen=True, slots=True)
class Request:
    name: str
    ask: Ask
    allowed: RateLimitItem  # of one user

    def every_seconds(self, pace: Pace) -> float:
        return 0.0 if pace is Pace.AT_ONCE else self.allowed.get_expiry() / self.allowed.amount


@dataclass(frozen=True, slots=True)
class Figures:
    """`speed_ratio` is our requests a second by those of /api/health; `p99_ratio` our p99 by its p99."""

    request: str
    clients: int
    pace: Pace
    count: int
    per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float
    speed_ratio: float
    p99_ratio: float


@dataclass(frozen=True, slots=True)
class Sample:
    seconds: float
    latencies: list[float]  # seconds, one a request
    server_cpu_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        return 1e3 * quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def measure(
    server: DemoServer, token: str, ask: Ask, *, clients: int, seconds: float, every_seconds: float = 0.0
) -> Sample:
    """`clients` clients, each with a connection of its own, ask one thing after another for `seconds`.

    `every_seconds`: from one question of a client to its next, or as soon as it is answered if that takes longer.
    """
    began_at, cpu_before = time.perf_counter(), _cpu_seconds(server.pid)
    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(_ask, server.url, token, ask, every_seconds, began_at + seconds) for _ in range(clients)]
        latencies = [latency for client in asking for latency in client.result()]
    return Sample(time.perf_counter() - began_at, latencies, _cpu_seconds(server.pid) - cpu_before)


def compare(name: str, clients: int, pace: Pace, ours: Sample, reference: Sample) -> Figures:
    return Figures(
        request=name,
        clients=clients,
        pace=pace,
        count=len(ours.latencies),
        per_second=round(ours.per_second, 1),
        p50_ms=round(ours.percentile_ms(50), 2),
        p99_ms=round(ours.percentile_ms(99), 2),
        server_cpu_ms=round(1e3 * ours.server_cpu_seconds / len(ours.latencies), 2),
        speed_ratio=round(ours.per_second / reference.per_second, 3),
        p99_ratio=round(ours.percentile_ms(99) / reference.percentile_ms(99), 2),
    )


def show(figures: list[Figures]) -> None:
    print(
        f"{'request':8}{'clients':>8}{'pace':>9}{'count':>8}{'a second':>10}{'p50':>11}{'p99':>11}{'CPU':>10}"
        f"{'speed':>8}{'p99':>8}"
    )
    for row in figures:
        print(
            f"{row.request:8}{row.clients:>8}{row.pace:>9}{row.count:>8}{row.per_second:>10.1f}"
            f"{row.p50_ms:>8.2f} ms{row.p99_ms:>8.2f} ms{row.server_cpu_ms:>7.2f} ms"
            f"{row.speed_ratio:>7.2f}x{row.p99_ratio:>7.2f}x"
        )
    print(json.dumps({"figures": [asdict(row) for row in figures]}))


def measure_all(server: DemoServer, token: str, seconds: float) -> list[Figures]:
    with LorryClient(server.url, token) as lorry:
        dataset_id = upload_sample(lorry)
        ended = lorry.submit(submission(dataset_id, "fake:seconds=0.1"))["job_id"]
        wait_until_ended(lorry, ended)
        hanging = lorry.submit(submission(dataset_id, "fake:hang=1"))["job_id"]
        wait_until(lambda: lorry.job(hanging)["status"] == "running", f"the start of job {hanging}")
    reads, submissions = (parse(Settings.model_fields[name].default) for name in ("request_rate", "submit_rate"))
    body, unwaited = submission(dataset_id), {"Prefer": "respond-async"}
    requests = (
        Request("health", lambda http: http.get("/health"), reads),
        Request("get", lambda http: http.get(f"/training/jobs/{ended}"), reads),
        Request("list", lambda http: http.get("/training/jobs?page_size=20&status=completed"), reads),
        Request("metrics", lambda http: http.get(f"/training/jobs/{ended}/metrics"), reads),
        Request("submit", lambda http: http.post("/training/submit", json=body, headers=unwaited), submissions),
    )
    figures = []
    for clients, pace in LOADS:
        samples = {}
        for request in requests:
            every = request.every_seconds(pace)
            length = max(seconds, _QUESTIONS * every)
            samples[request.name] = measure(
                server, token, request.ask, clients=clients, seconds=length, every_seconds=every
            )
        figures += [compare(name, clients, pace, sample, samples["health"]) for name, sample in samples.items()]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each of the measurements")
    seconds = parser.parse_args().seconds
    engine = connect_engine()
    with serving(engine, LORRY_CPU_SLOTS="1") as server:
        figures = measure_all(server, server.create_token("bench"), seconds)
    show(figures)


def _cpu_seconds(pid: int) -> float:
    """What a process and its threads have used so far, as Linux counts it."""
    times = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def _ask(server_url: str, token: str, ask: Ask, every_seconds: float, ends_at: float) -> list[float]:
    latencies = []
    time.sleep(random.uniform(0, every_seconds))  # noqa: S311 - users do not begin at one instant
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"{server_url}/api", headers=headers, timeout=30.0, trust_env=False) as http:
        while (asked_at := time.perf_counter()) < ends_at:
            answer = ask(http)
            latencies.append(time.perf_counter() - asked_at)
            if answer.is_error:
                raise CheckFailed(f"{answer.request.method} {answer.url} was answered {answer.status_code}.")
            time.sleep(max(0.0, every_seconds - latencies[-1]))
    return latencies


if __name__ == "__main__":
    report_failure(main)
