"""How long a submission over HTTP takes to become a started container, beside bare docker-py on the same engine.

Both make the same container: the bare one is created from what the engine reports about one of Lorry's. They take
turns within one run, so that a busy machine is busy for both. The engine must share this machine's clock.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any

from docker import APIClient
from serving import (
    connect_engine,
    remove_containers,
    report_failure,
    serving,
    submission,
    upload_sample,
    wait_until,
    wait_until_ended,
)

from cli.client import LorryClient

_LABEL = "io.lorry.bench"


@dataclass(frozen=True, slots=True)
class Launch:
    """Seconds since the beginning of one launch."""

    started: float  # until the engine's own StartedAt
    answered: float  # until the caller had its answer: start() returned, or the HTTP response came


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians. `ratio` and `own_share_ms` compare instants of the same kind: the engine's StartedAt on both sides."""

    rounds: int
    bare_started_ms: float
    ours_started_ms: float
    bare_answered_ms: float
    ours_answered_ms: float
    ratio: float
    own_share_ms: float
    answer_ratio: float
    answer_own_share_ms: float


def launch_bare(engine: APIClient, spec: dict[str, Any]) -> Launch:
    name = f"bench-{uuid.uuid4()}"
    began_at = time.time()
    container_id = engine.create_container_from_config(spec, name)["Id"]  # type: ignore[no-untyped-call]
    engine.start(container_id)
    answered_at = time.time()
    started_at = _instant(engine.inspect_container(container_id)["State"]["StartedAt"])
    engine.remove_container(container_id, force=True)
    return Launch(started_at - began_at, answered_at - began_at)


def launch_ours(lorry: LorryClient, engine: APIClient, dataset_id: str) -> Launch:
    request = submission(dataset_id, "fake:seconds=0.1")
    began_at = time.time()
    submitted = lorry.submit(request)
    answered_at = time.time()
    job_id = submitted["job_id"]
    wait_until_ended(lorry, job_id)
    started_at = _instant(str(lorry.job(job_id)["started_at"]))
    wait_until(lambda: not _is_there(engine, f"training-{job_id}"), f"the removal of training-{job_id}")
    return Launch(started_at - began_at, answered_at - began_at)


def spec_of_a_job(lorry: LorryClient, engine: APIClient, dataset_id: str) -> dict[str, Any]:
    """The body of the engine's create call for a container like that of a real job; its labels are the bench's own."""
    job_id = lorry.submit(submission(dataset_id, "fake:hang=1"))["job_id"]
    wait_until(lambda: lorry.job(job_id)["status"] == "running", f"the start of job {job_id}")
    details = engine.inspect_container(f"training-{job_id}")
    lorry.cancel(job_id)
    wait_until_ended(lorry, job_id)
    return {**details["Config"], "Hostname": "", "Labels": {_LABEL: "bare"}, "HostConfig": details["HostConfig"]}


def compare(bare: list[Launch], ours: list[Launch]) -> Figures:
    bare_started, ours_started = (1e3 * median(launch.started for launch in launches) for launches in (bare, ours))
    bare_answered, ours_answered = (1e3 * median(launch.answered for launch in launches) for launches in (bare, ours))
    return Figures(
        rounds=len(ours),
        bare_started_ms=round(bare_started, 1),
        ours_started_ms=round(ours_started, 1),
        bare_answered_ms=round(bare_answered, 1),
        ours_answered_ms=round(ours_answered, 1),
        ratio=round(ours_started / bare_started, 3),
        own_share_ms=round(ours_started - bare_started, 1),
        answer_ratio=round(ours_answered / bare_answered, 3),
        answer_own_share_ms=round(ours_answered - bare_answered, 1),
    )


def show(figures: Figures) -> None:
    print(f"{'median of ' + str(figures.rounds):24}{'bare':>10}{'ours':>10}{'ratio':>8}{'own share':>12}")
    rows = (
        ("container started", figures.bare_started_ms, figures.ours_started_ms, figures.ratio, figures.own_share_ms),
        (
            "caller has its answer",
            figures.bare_answered_ms,
            figures.ours_answered_ms,
            figures.answer_ratio,
            figures.answer_own_share_ms,
        ),
    )
    for name, bare, ours, ratio, own_share in rows:
        print(f"{name:24}{bare:>7.1f} ms{ours:>7.1f} ms{ratio:>8.2f}{own_share:>9.1f} ms")
    print(json.dumps(asdict(figures)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    engine = connect_engine()
    bare, ours = [], []
    try:
        with serving(engine) as server, LorryClient(server.url, server.create_token("bench")) as lorry:
            dataset_id = upload_sample(lorry)
            spec = spec_of_a_job(lorry, engine, dataset_id)
            for _ in range(rounds):
                ours.append(launch_ours(lorry, engine, dataset_id))
                bare.append(launch_bare(engine, spec))
    finally:
        remove_containers(engine, _LABEL)
    show(compare(bare, ours))


def _is_there(engine: APIClient, name: str) -> bool:
    return bool(engine.containers(all=True, filters={"name": f"^/{name}$"}))


def _instant(text: str) -> float:
    """Unix time of an RFC 3339 instant."""
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    report_failure(main)
