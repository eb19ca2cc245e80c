"""`lorry job`, `lorry metrics`, `lorry samples`, and the curve that is drawn in the terminal."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from cli.plot import plot

Lorry = Callable[..., Any]
JOB = "11111111-1111-4111-8111-111111111111"


def metric(step: int, loss: float, **changes: Any) -> dict[str, Any]:
    return {
        "attempt": 1,
        "step": step,
        "epoch": 0,
        "loss": loss,
        "val_loss": None,
        "learning_rate": 1e-4,
        "throughput": 2.5,
        "gpu_utilization": None,
        "gpu_memory_bytes": None,
    } | changes


@pytest.fixture(autouse=True)
def _url(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORRY_URL", server.url)


def test_a_job_is_shown_with_what_is_known_of_it(server: Any, lorry: Lorry, make_job: Any) -> None:
    server.data(f"/training/jobs/{JOB}", make_job(name="گربه", config={"steps": 120, "seed": None}))
    shown = lorry("job", JOB).out.splitlines()
    assert "name      گربه" in shown
    assert "now       train  50%  step 60/120  loss 0.1235  1 min 15 s left" in shown
    assert "options   steps 120" in shown
    assert not [line for line in shown if line.startswith("completed")]


def test_a_waiting_job_is_shown_with_what_would_end_the_wait(server: Any, lorry: Lorry, make_job: Any) -> None:
    place = {
        "position": 2,
        "reason": "no GPU or CPU slot is free",
        "explanation": "The only GPU is taken.",
        "freed_by": "A running job ends.",
        "waiting_since": "2026-11-21T03:00:00Z",
        "eta_seconds": None,
        "eta_low_seconds": None,
        "eta_high_seconds": None,
    }
    server.data(f"/training/jobs/{JOB}", make_job(status="queued", queue=place, config={}))
    shown = lorry("job", JOB).out.splitlines()
    assert "waits for    The only GPU is taken." in shown
    assert "freed by     A running job ends." in shown
    assert "waits since  2026-11-21 03:00:00" in shown
    assert "starts       nobody can know yet when it starts" in shown


def test_the_history_of_a_job_is_listed(server: Any, lorry: Lorry) -> None:
    event = {"id": 1, "attempt": 1, "type": "status", "message": "Launching.", "at": "2026-11-21T03:00:00Z", "data": {}}
    server.data(f"/training/jobs/{JOB}/events", [event])
    assert "2026-11-21 03:00:00" in lorry("job", JOB, "--history").out
    assert json.loads(lorry("job", JOB, "--history", "--json").out) == [event]


def test_metrics_are_a_table_of_as_many_steps_as_asked_for(server: Any, lorry: Lorry) -> None:
    server.data(f"/training/jobs/{JOB}/metrics", [metric(10, 0.5, val_loss=0.6), metric(20, 0.25)])
    ended = lorry("metrics", JOB, "--points", "12")
    assert server.seen[0].query == {"points": ["12"]}
    assert ended.out.splitlines()[2].split() == ["1", "10", "0", "0.5000", "0.6000", "0.0001000", "2.50"]


def test_metrics_can_be_drawn(server: Any, lorry: Lorry) -> None:
    server.data(f"/training/jobs/{JOB}/metrics", [metric(step, math.exp(-step / 50)) for step in range(200)])
    drawn = lorry("metrics", JOB, "--plot").out.splitlines()
    assert drawn[0] == "loss by step"
    assert drawn[1].startswith("      1 ")
    assert drawn[-1].split() == ["0", "199"]


def test_a_series_that_was_never_measured_is_said_to_be_missing(server: Any, lorry: Lorry) -> None:
    server.data(f"/training/jobs/{JOB}/metrics", [metric(1, 0.5)])
    ended = lorry("metrics", JOB, "--plot", "--series", "val_loss")
    assert (ended.code, ended.err) == (1, f"Job {JOB} has measured no val_loss yet.\n")


def test_samples_are_listed_and_downloaded_and_nothing_else_is(server: Any, lorry: Lorry, tmp_path: Path) -> None:
    content = b"a picture"
    sample = {
        "id": "a1",
        "job_id": JOB,
        "attempt": 1,
        "kind": "sample",
        "name": "step-100.png",
        "path": "samples/step-100.png",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    server.data(f"/training/jobs/{JOB}/artifacts", [sample, sample | {"id": "a2", "kind": "adapter"}])
    server.answer("GET", "/artifacts/a1/download", content)
    assert "samples/step-100.png" in lorry("samples", JOB).out
    assert lorry("samples", JOB, "--into", str(tmp_path)).out == f"{tmp_path}/samples/step-100.png\n"
    assert (tmp_path / "samples/step-100.png").read_bytes() == content
    assert [seen.path for seen in server.seen if "download" in seen.path] == ["/api/artifacts/a1/download"]


class TestPlot:
    def test_a_falling_line_goes_from_the_upper_left_to_the_lower_right(self) -> None:
        assert plot([(0, 1.0), (10, 0.0)], width=4, height=2) == ["1 ⠑⢄⠀⠀", "0 ⠀⠀⠑⢄", "  0 10"]

    def test_points_that_are_no_numbers_are_left_out(self) -> None:
        assert plot([(0, math.nan), (1, math.inf)], width=4, height=2) == []

    def test_one_point_and_a_flat_line_are_drawn_too(self) -> None:
        assert len(plot([(5, 1.0)], width=4, height=2)) == 3
        assert len(plot([(0, 1.0), (9, 1.0)], width=4, height=2)) == 3


def test_the_version_is_told_without_a_server(lorry: Lorry) -> None:
    ended = lorry("--version")
    assert (ended.code, ended.out.strip()) == (0, version("lorry"))


def test_what_two_jobs_have_different_is_a_table(server: Any, lorry: Lorry) -> None:
    other = "33333333-3333-4333-8333-333333333333"
    server.data(f"/training/jobs/{JOB}/diff", [{"field": "config.seed", "before": 42, "after": None}])
    ended = lorry("diff", JOB, other)
    assert server.seen[0].query == {"with": [other]}
    assert ended.out.splitlines()[2].split() == ["config.seed", "42", "None"]


def test_jobs_that_are_the_same_have_nothing_different(server: Any, lorry: Lorry) -> None:
    server.data(f"/training/jobs/{JOB}/diff", [])
    assert lorry("diff", JOB, JOB).out == "Nothing is different.\n"


TALLY = {
    "total": 3,
    "jobs": {"completed": 2, "failed": 1},
    "success_rate": 0.6667,
    "mean_queue_seconds": 2.0,
    "mean_run_seconds": 90.0,
    "gpu_hours": 0.075,
    "cost": None,
}
STATISTICS = TALLY | {
    "currency": "EUR",
    "by_day": {"2026-11-21": TALLY},
    "by_base_model": {"a/b": TALLY},
    "by_user": None,
}


def test_jobs_are_counted_by_base_model_and_in_all(server: Any, lorry: Lorry) -> None:
    server.data("/training/stats", STATISTICS)
    rows = lorry("stats", "--since", "2026-11-01T00:00:00Z").out.splitlines()[2:]
    assert server.seen[0].query == {"scope": ["own"], "since": ["2026-11-01T00:00:00Z"]}
    counted = ["3", "2", "1", "67%", "2", "s", "1", "min", "30", "s", "0.07", "-"]
    assert [row.split() for row in rows] == [["a/b", *counted], ["all", *counted]]


def test_counting_by_user_is_for_everybodys_jobs(server: Any, lorry: Lorry) -> None:
    refused = lorry("stats", "--by", "user")
    assert (refused.code, server.seen) == (2, [])
    server.data("/training/stats", STATISTICS | {"by_user": {"alice": TALLY | {"cost": 0.15}}})
    assert "0.15 EUR" in lorry("stats", "--by", "user", "--everybody").out
