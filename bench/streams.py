"""What live streams cost and how late they are: many open at a time on one real `lorry serve`, while a trainer reports.

The trainer waits until all of them are open. Latency is from its flush (its event's own `at`) to the metric's arrival
at a client that reads; both by this machine's clock. The reference is the same on the store's side (bench/latency.py).
Most streams are of the busy job; the others are of all of the user's jobs. Threads, memory and processor time are the
server's, before and with them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import socket
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from serving import connect_engine, report_failure, serving, submission, upload_sample, wait_until, wait_until_ended

from cli.client import LorryClient

_REPORT_SECONDS = 0.25
_USER_SHARE = 5  # one of so many streams is of all jobs
_WATCHED_SECONDS = 60.0
_OPENING_SECONDS = 60.0
_METRIC = re.compile(rb'event: metrics\ndata: [^\n]*?"step":(\d+)')


@dataclass(frozen=True, slots=True)
class Usage:
    """Of the server's process."""

    threads: int
    resident_mib: float
    cpu_seconds: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        cpu_seconds = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        return cls(int(status["Threads"]), int(status["VmRSS"].split()[0]) / 1024, cpu_seconds)


@dataclass(frozen=True, slots=True)
class Figures:
    """`cpu_share` is the server's processor time, orchestration included, by the time that passed."""

    streams: int
    opening_seconds: float
    metrics: int
    latency_p50_seconds: float
    latency_p95_seconds: float
    latency_max_seconds: float
    threads_before: int
    threads: int
    resident_mib_before: float
    resident_mib: float
    kib_a_stream: float
    cpu_share: float


class Watchers:
    """Many open streams, read by one thread."""

    def __init__(self, url: str, token: str, paths: list[str]) -> None:
        parts = urlsplit(url)
        self._selector = selectors.DefaultSelector()
        self._left_over: dict[int, bytes] = {}
        self._heard: set[int] = set()
        self.arrivals: list[tuple[int, float]] = []  # step and Unix time
        self.open_count = 0
        for path in paths:
            connection = socket.create_connection((parts.hostname or "", parts.port or 80))
            lines = [f"GET {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {token}", "", ""]
            connection.sendall("\r\n".join(lines).encode())
            connection.settimeout(0.0)
            self._selector.register(connection, selectors.EVENT_READ, connection)
            self.open_count += 1

    def have_all_opened(self) -> bool:
        """Each has then said something; takes in what comes meanwhile."""
        self.read(0.05)
        return len(self._heard) >= self.open_count

    def read(self, seconds: float) -> None:
        """Take in what comes within that time."""
        for key, _ in self._selector.select(seconds):
            data = key.data.recv(1 << 18)
            now = time.time()
            if not data:
                self._selector.unregister(key.data)
                key.data.close()
                self.open_count -= 1
                continue
            self._heard.add(key.fd)
            *frames, rest = (self._left_over.get(key.fd, b"") + data).split(b"\n\n")
            self._left_over[key.fd] = rest
            self.arrivals += [(int(step[1]), now) for frame in frames if (step := _METRIC.search(frame))]

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.close()
        self._selector.close()


def flush_times(data_dir: Path, job_id: str) -> dict[int, float]:
    """step -> Unix time at which the trainer wrote it down."""
    lines = (data_dir / "outputs" / job_id / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [event for event in map(json.loads, lines) if event["type"] == "metrics"]
    return {event["step"]: datetime.fromisoformat(event["at"]).timestamp() for event in events}


def _only_child() -> int:
    """The server's process; whatever else was started has ended."""
    (pid,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return int(pid)


def watch(watchers: Watchers, count: int, metrics: int) -> list[tuple[int, float]]:
    """Every arrival of a metric at any of `count` streams, until each of those of the job has come to its end."""
    deadline = time.monotonic() + _WATCHED_SECONDS + metrics * _REPORT_SECONDS
    while watchers.open_count > count / _USER_SHARE and time.monotonic() < deadline:
        watchers.read(0.05)
    watchers.close()
    return watchers.arrivals


def paths_of(job_id: str, count: int) -> list[str]:
    job, own = f"/api/training/jobs/{job_id}/stream?after=now", "/api/training/stream"
    return [own if number % _USER_SHARE == 0 else job for number in range(count)]


def measure(count: int, metrics: int) -> Figures:
    engine = connect_engine()
    with serving(engine, LORRY_MAX_STREAMS_PER_USER=str(count)) as server:
        token = server.create_token("bench")
        with LorryClient(server.url, token) as lorry:
            wishes = ("fake:gate=1", f"fake:reports={metrics}", f"fake:seconds={metrics * _REPORT_SECONDS}")
            request = {**submission(upload_sample(lorry), *wishes), "config": {"steps": metrics}}
            pid = _only_child()
            before = Usage.of(pid)
            job_id = lorry.submit(request)["job_id"]
            wait_until(lambda: lorry.job(job_id)["status"] == "running", "the job's start")
            began = time.monotonic()
            watchers = Watchers(server.url, token, paths_of(job_id, count))
            wait_until(
                watchers.have_all_opened,
                f"the opening of {count} streams",
                within_seconds=_OPENING_SECONDS,
                pause_seconds=0,
            )
            opening = time.monotonic() - began
            (server.log.parent / "outputs" / job_id / "gate").touch()
            began, at_first = time.monotonic(), Usage.of(pid)
            arrivals = watch(watchers, count, metrics)
            passed, with_them = time.monotonic() - began, Usage.of(pid)
            wait_until_ended(lorry, job_id)
            flushed = flush_times(server.log.parent, job_id)
    percentiles = quantiles([at - flushed[step] for step, at in arrivals], n=100, method="inclusive")
    return Figures(
        streams=count,
        opening_seconds=round(opening, 2),
        metrics=len(arrivals),
        latency_p50_seconds=round(percentiles[49], 3),
        latency_p95_seconds=round(percentiles[94], 3),
        latency_max_seconds=round(max(at - flushed[step] for step, at in arrivals), 3),
        threads_before=before.threads,
        threads=with_them.threads,
        resident_mib_before=round(before.resident_mib, 1),
        resident_mib=round(with_them.resident_mib, 1),
        kib_a_stream=round((with_them.resident_mib - before.resident_mib) * 1024 / count, 1),
        cpu_share=round((with_them.cpu_seconds - at_first.cpu_seconds) / passed, 2),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--metrics", type=int, default=100)
    arguments = parser.parse_args()
    print(json.dumps(asdict(measure(arguments.streams, arguments.metrics))))


if __name__ == "__main__":
    report_failure(main)
