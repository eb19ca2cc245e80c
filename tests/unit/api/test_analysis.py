"""Jobs looked back on: runs, comparisons, counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.domain.bests import with_bests
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Job, Progress
from orchestrator.domain.lifecycle import EndReason
from tests.contract.job_store import make_metric
from tests.factories import make_attempt
from tests.unit.api.installation import ALICE, BOB, Installation

RUNS, COMPARE, STATS = "/api/analysis/training/jobs", "/api/analysis/training/compare", "/api/training/stats"


def trained(lorry: Installation, user: str = ALICE, *, seconds: int = 1_800, **changes: Any) -> Job:
    """A job that trained for so long, with a curve of 200 steps whose best validation was at step 100."""
    queued = lorry.jobs.get(lorry.submit(user, **changes))
    claimed = queued.claimed(slot=1, devices=(f"cpu-{queued.id}",), at=queued.created_at)
    attempt = make_attempt(queued, devices=claimed.gpu_ids)
    claimed = lorry.jobs.claim(claimed, attempt, status_event(queued, claimed, "Launching."))
    rows = [make_metric(queued, step, loss=1 / step) for step in range(1, 201)]
    rows[99], rows[199] = replace(rows[99], val_loss=0.1), replace(rows[199], val_loss=0.3)
    last = {"step": 200, "loss": 0.005, "val_loss": 0.3}
    progress = with_bests(Progress(progress=50.0, current_step=200, current_epoch=2, metrics=last), rows)
    began_at = queued.created_at + timedelta(seconds=20)
    job = claimed.running(started_at=began_at, at=began_at).with_progress(progress, at=began_at)
    job = lorry.jobs.save(job, attempt.evolve(started_at=began_at), metrics=rows)
    ended_at = began_at + timedelta(seconds=seconds)
    return lorry.jobs.save(
        job.ended(EndReason.ADAPTER_VERIFIED, at=ended_at), attempt.evolve(started_at=began_at, finished_at=ended_at)
    )


def data(lorry: Installation, path: str, user: str = ALICE) -> Any:
    answer = lorry.client.get(path, headers=lorry.as_user(user))
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_list_of_runs_has_what_a_dashboard_shows(lorry: Installation) -> None:
    job = trained(lorry, name="گربه")
    trained(lorry, BOB)

    (run,) = data(lorry, RUNS)

    assert (run["id"], run["runId"], run["jobId"]) == (job.id, job.id, job.id)
    assert (run["name"], run["status"], run["progress"]) == ("گربه", "completed", 100.0)
    assert (run["baseModel"], run["datasets"]) == ("lorry/tiny-sd15", [job.dataset_id])
    assert (run["epoch"], run["trainLoss"], run["valLoss"]) == (2, 0.005, 0.3)
    assert (run["step"], run["bestTrainLoss"], run["bestTrainStep"]) == (200, 0.005, 200)
    assert (run["bestValLoss"], run["bestStep"]) == (0.1, 100)
    assert (run["bestCheckpoint"], run["lastCheckpoint"]) == (None, None)
    assert run["finishedAt"] > run["startedAt"]


def test_runs_are_filtered_as_jobs_are(lorry: Installation) -> None:
    trained(lorry)
    assert len(data(lorry, f"{RUNS}?status=completed")) == 1
    assert data(lorry, f"{RUNS}?status=failed") == []


def test_a_runs_status_tells_its_whole_story(lorry: Installation) -> None:
    job = trained(lorry)

    status = data(lorry, f"/api/analysis/training/status/{job.id}")

    assert (status["runId"], status["status"], status["progress"]) == (job.id, "completed", 100.0)
    assert (status["metrics"]["bestValLoss"], status["metrics"]["bestStep"]) == (0.1, 100)
    assert [point["step"] for point in status["history"]] == list(range(1, 201))
    assert status["history"][99]["val_loss"] == 0.1
    assert [line["message"] for line in status["logs"]] == ["Submitted.", "Launching."]
    assert len(data(lorry, f"/api/analysis/training/status/{job.id}?points=20")["history"]) <= 20


def test_jobs_side_by_side_show_their_curves_figures_and_what_differs(lorry: Installation) -> None:
    dataset = lorry.dataset()
    one = trained(lorry, dataset_id=dataset, config={"lora_rank": 8})
    other = trained(lorry, dataset_id=dataset, config={"lora_rank": 32}, trigger_words=["sks"], seconds=3_600)

    compared = data(lorry, f"{COMPARE}?ids={other.id},{one.id}&ids={one.id}&points=20")

    assert [job["job_id"] for job in compared["jobs"]] == [other.id, one.id]
    assert all({1, 100, 200} <= {point["step"] for point in job["curve"]} for job in compared["jobs"])
    assert [job["result"]["run_seconds"] for job in compared["jobs"]] == [3_600.0, 1_800.0]
    assert [job["result"]["cost"] for job in compared["jobs"]] == [2.0, 1.0]
    assert compared["differences"] == [
        {"field": "trigger_words", "values": {other.id: ["sks"], one.id: []}},
        {"field": "config.lora_rank", "values": {other.id: 32, one.id: 8}},
    ]


def test_jobs_are_held_against_a_baseline_which_joins_them(lorry: Installation) -> None:
    pinned, other = trained(lorry), trained(lorry)
    waiting = lorry.submit()
    better = other.progress.metrics | {"loss": 0.003}
    lorry.jobs.save(other.with_progress(replace(other.progress, metrics=better), at=other.updated_at))

    compared = data(lorry, f"{COMPARE}?ids={other.id},{waiting}&baseline={pinned.id}")
    margins = {job["job_id"]: job["over_baseline"] for job in compared["jobs"]}

    assert (compared["baseline"], list(margins)) == (pinned.id, [pinned.id, other.id, waiting])
    assert margins[pinned.id] is None
    assert margins[other.id] == {"loss": pytest.approx(-0.002), "best_val_loss": 0.0}
    assert margins[waiting] == {"loss": None, "best_val_loss": None}
    among = data(lorry, f"{COMPARE}?ids={other.id},{pinned.id}&baseline={pinned.id}")
    assert [job["job_id"] for job in among["jobs"]] == [other.id, pinned.id]
    assert data(lorry, f"{COMPARE}?ids={other.id}")["baseline"] is None


def test_anothers_job_cannot_be_compared_with(lorry: Installation) -> None:
    mine, theirs = trained(lorry), trained(lorry, BOB)
    answer = lorry.client.get(f"{COMPARE}?ids={mine.id},{theirs.id}", headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (404, "JOB_NOT_FOUND")


@pytest.mark.parametrize(
    "query", ["", "?ids=", "?ids=nothing", "?ids=" + ",".join(["5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11"] * 17)]
)
def test_what_cannot_be_compared_is_refused_with_the_field(lorry: Installation, query: str) -> None:
    answer = lorry.client.get(COMPARE + query, headers=lorry.as_user())
    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"].startswith("ids")


def test_a_user_counts_their_own_jobs(lorry: Installation) -> None:
    trained(lorry)
    trained(lorry, BOB)
    lorry.clock.advance(3_600)

    stats = data(lorry, STATS)

    assert (stats["total"], stats["jobs"]["completed"], stats["success_rate"]) == (1, 1, 1.0)
    assert (stats["mean_queue_seconds"], stats["mean_run_seconds"]) == (pytest.approx(20), pytest.approx(1_800))
    assert (stats["gpu_hours"], stats["cost"], stats["currency"]) == (0.5, 1.0, "EUR")
    assert [day["total"] for day in stats["by_day"].values()] == [1]
    assert list(stats["by_base_model"]) == ["lorry/tiny-sd15"]
    assert stats["by_user"] is None


def test_an_admin_counts_everybodys_and_by_user(lorry: Installation) -> None:
    trained(lorry)
    trained(lorry, BOB)
    lorry.clock.advance(3_600)

    answer = lorry.client.get(f"{STATS}?scope=all", headers=lorry.as_admin())
    refused = lorry.client.get(f"{STATS}?scope=all", headers=lorry.as_user())

    assert answer.json()["data"]["total"] == 2
    assert {user: tally["total"] for user, tally in answer.json()["data"]["by_user"].items()} == {ALICE: 1, BOB: 1}
    assert (refused.status_code, refused.json()["error"]) == (403, "ADMIN_ONLY")


def test_only_jobs_of_the_time_are_counted(lorry: Installation) -> None:
    trained(lorry)
    lorry.clock.advance(3_600)
    assert data(lorry, f"{STATS}?since=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z")["total"] == 0
    assert data(lorry, f"{STATS}?since=2020-01-01T00:00:00%2B03:30")["total"] == 1


@pytest.mark.parametrize(
    "query", ["since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "since=2026-01-01", "since=0", "until=soon"]
)
def test_a_time_that_is_none_is_refused(lorry: Installation, query: str) -> None:
    answer = lorry.client.get(f"{STATS}?{query}", headers=lorry.as_user())
    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"] in ("since", "until")
