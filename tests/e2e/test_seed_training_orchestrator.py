"""What the training orchestrator's report built and planned to test: its service, its pipeline of five steps, its API.

Its jobs are started by `POST /training/jobs`, its runs are LoRA trainings and not forecasts, and nothing is synthetic.
How long its requests take is measured by `bench/api.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.installation import User
from tests.e2e.training import CONFIG, NAME, Trained

pytestmark = [pytest.mark.docker, pytest.mark.trainer]


@pytest.fixture
def held(user: User) -> Iterator[list[str]]:
    """Two jobs that keep the user's others waiting."""
    dataset_id = user.upload()
    jobs = [user.start("fake:hang=1", dataset_id=dataset_id) for _ in range(2)]
    yield jobs
    for job_id in jobs:
        user.http.post(f"/training/jobs/{job_id}/cancel")
        user.wait(job_id, "cancelled")


def create(user: User, *trigger_words: str, **changes: Any) -> dict[str, Any]:
    """A job as `POST /training/jobs` answers it."""
    body = {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}, "trigger_words": trigger_words}
    answer = user.http.post("/training/jobs", json=body | {"dataset_id": user.upload()} | changes)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()["data"]
    return job


def test_the_pipeline_loads_preprocesses_trains_evaluates_and_registers(trained: Trained) -> None:
    phases = [event["data"]["phase"] for event in trained.records("events") if event["type"] == "phase"]
    assert phases == ["load", "preprocess", "train", "evaluate", "register"]


def test_training_makes_the_model_better_than_it_was(trained: Trained) -> None:
    (result,) = [event["data"] for event in trained.records("events") if event["type"] == "result"]
    assert result["eval_loss_after"] < result["eval_loss_before"]


def test_a_model_that_was_trained_is_in_the_registry_with_its_version(trained: Trained) -> None:
    (version,) = [
        version for version in trained.user.get(f"/models/registered/{NAME}") if version["job_id"] == trained.job_id
    ]
    adapters = {file["sha256"] for file in trained.records("artifacts") if file["kind"] == "adapter"}
    assert version["sha256"] in adapters


def test_progress_metrics_params_and_logs_are_in_the_database(trained: Trained) -> None:
    assert (trained.job["progress"], trained.job["current_step"]) == (100, CONFIG["steps"])
    assert trained.records("metrics")[-1]["step"] == CONFIG["steps"]
    assert trained.look()["config"].items() >= CONFIG.items()
    assert trained.records("logs")


def test_a_job_is_created_queued_and_retrieved(user: User, held: list[str]) -> None:
    job = create(user, name="nightly")
    assert (job["status"], job["name"]) == ("queued", "nightly")
    assert user.job(job["id"])["id"] == job["id"]
    user.http.post(f"/training/jobs/{job['id']}/cancel")


def test_jobs_are_listed_with_filters_and_pages(user: User, held: list[str]) -> None:
    failed = user.start(type="dreambooth", name="early")
    user.http.post(f"/training/jobs/{failed}/cancel")
    running = user.http.get("/training/jobs", params={"status": "running", "page_size": 1}).json()
    assert (running["total"], running["page"], running["page_size"], len(running["data"])) == (2, 1, 1, 1)
    for query in ({"status": "cancelled"}, {"type": "dreambooth"}, {"q": "EARL"}):
        assert [job["id"] for job in user.get("/training/jobs", **query)] == [failed]
    assert user.get("/training/jobs", base_model="nobody/nothing") == []


def test_the_queue_goes_by_priority_from_minus_one_to_two(user: User, held: list[str]) -> None:
    dataset_id = user.upload()
    waiting = {priority: user.start(dataset_id=dataset_id, priority=priority) for priority in (-1, 2, 0, 1)}
    places = sorted(waiting, key=lambda priority: user.job(waiting[priority])["queue"]["position"])
    assert places == [2, 1, 0, -1]
    assert user.submit(dataset_id=dataset_id, priority=3).status_code == 400
    for job_id in waiting.values():
        user.http.post(f"/training/jobs/{job_id}/cancel")


def test_queued_and_running_jobs_are_cancelled(user: User) -> None:
    jobs = [user.start("fake:hang=1", dataset_id=user.upload()) for _ in range(3)]
    for job_id in reversed(jobs):
        assert user.http.post(f"/training/jobs/{job_id}/cancel").status_code == 200
    for job_id in jobs:
        assert user.wait(job_id, "cancelled")["end_reason"] == "cancel_requested"


def test_a_failed_job_is_retried_with_the_same_config(user: User) -> None:
    job_id = user.start("fake:exit=11", config={"lora_rank": 4})
    before = user.wait(job_id, "failed")
    retried = user.http.post(f"/training/jobs/{job_id}/retry")
    assert retried.status_code == 200, retried.text
    after = user.wait(job_id, "failed")
    assert (after["attempt"], after["config"]) == (before["attempt"] + 1, before["config"])


def test_a_jobs_log_is_kept_as_the_container_printed_it(trained: Trained) -> None:
    assert any(f"step {CONFIG['steps']}/{CONFIG['steps']}" in line for line in trained.records("logs"))


def test_statistics_count_jobs_their_times_and_their_success(trained: Trained) -> None:
    statistics = trained.user.get("/training/stats")
    assert (statistics["jobs"]["completed"], statistics["jobs"]["failed"]) == (statistics["total"], 0)
    assert statistics["success_rate"] == 1
    assert statistics["mean_run_seconds"] > 0
    assert statistics["by_base_model"]["lorry/tiny-sd15"]["total"] == statistics["total"]


def test_an_experiment_shows_params_and_metrics_of_its_jobs_side_by_side(user: User) -> None:
    begun = user.http.post("/experiments", json={"name": "ranks", "params": {"seed": 42}})
    assert begun.status_code == 201, begun.text
    experiment_id = begun.json()["data"]["id"]
    jobs = {user.start(config={"lora_rank": rank}, experiment_id=experiment_id): rank for rank in (4, 8)}
    for job_id in jobs:
        user.wait(job_id, "completed")
    experiment = user.get(f"/experiments/{experiment_id}")
    assert {job["job_id"]: job["config"]["lora_rank"] for job in experiment["jobs"]} == jobs
    assert all(job["result"]["loss"] is not None for job in experiment["jobs"])
