"""How long a metric takes from the trainer's flush to the row in the store, while a real `lorry serve` looks on.

The one end is the event's own `at`, the other the instant at which a reader of the store first sees the row; both by
this machine's clock, and the reader looks every few milliseconds. The reference is the pause between two looks of the
orchestrator: with it alone, p50 would be half of it and p95 nearly all of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from serving import connect_engine, report_failure, serving, submission, upload_sample, wait_until_ended

from cli.client import LorryClient
from orchestrator.adapters.sql import SqlRecordStore, connect
from orchestrator.settings import Settings

_LOOK_SECONDS = 0.005
_REPORT_SECONDS = 0.09  # no multiple of it is a poll's pause, so that metrics come at any time between two looks
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """`ratio` is p95 by the orchestrator's pause between two looks."""

    metrics: int
    poll_seconds: float
    metric_latency_p50_seconds: float
    metric_latency_p95_seconds: float
    metric_latency_max_seconds: float
    ratio: float


def watch(settings: Settings, job_id: str, count: int) -> dict[int, float]:
    """step -> Unix time at which its row was first seen."""
    database = connect(settings.store_url)
    records = SqlRecordStore(database)
    seen: dict[int, float] = {}
    deadline = time.monotonic() + _START_SECONDS + 2 * count * _REPORT_SECONDS
    try:
        while len(seen) < count:
            rows = records.curve(job_id).points
            now = time.time()
            for row in rows:
                seen.setdefault(row.step, now)
            if time.monotonic() > deadline:
                sys.exit(f"error: {len(seen)} of {count} metrics were stored in time.")
            time.sleep(_LOOK_SECONDS)
    finally:
        database.close()
    return seen


def flushed(data_dir: Path, job_id: str) -> Iterator[tuple[int, float]]:
    """Step and Unix time of each metrics event that the trainer wrote."""
    for line in (data_dir / "outputs" / job_id / "events.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["type"] == "metrics":
            yield event["step"], datetime.fromisoformat(event["at"]).timestamp()


def figures_of(latencies: list[float], poll_seconds: float) -> Figures:
    percentiles = quantiles(latencies, n=100, method="inclusive")
    return Figures(
        metrics=len(latencies),
        poll_seconds=poll_seconds,
        metric_latency_p50_seconds=round(percentiles[49], 3),
        metric_latency_p95_seconds=round(percentiles[94], 3),
        metric_latency_max_seconds=round(max(latencies), 3),
        ratio=round(percentiles[94] / poll_seconds, 3),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=int, default=240)
    count = parser.parse_args().metrics
    engine = connect_engine()
    with serving(engine) as server, LorryClient(server.url, server.create_token("bench")) as lorry:
        settings = Settings(data_dir=server.log.parent)
        request = submission(upload_sample(lorry), f"fake:reports={count}", f"fake:seconds={count * _REPORT_SECONDS}")
        job_id = lorry.submit({**request, "config": {"steps": count}})["job_id"]
        stored = watch(settings, job_id, count)
        latencies = [stored[step] - at for step, at in flushed(settings.data_dir, job_id)]
        wait_until_ended(lorry, job_id)
    figures = figures_of(latencies, settings.poll_seconds)
    print(f"{'metric':12}{'p50':>10}{'p95':>10}{'max':>10}{'poll':>10}{'p95 by poll':>14}")
    print(
        f"{figures.metrics:<12}{figures.metric_latency_p50_seconds:>8.3f} s{figures.metric_latency_p95_seconds:>8.3f} s"
        f"{figures.metric_latency_max_seconds:>8.3f} s{figures.poll_seconds:>8.2f} s{figures.ratio:>14.2f}"
    )
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    report_failure(main)
