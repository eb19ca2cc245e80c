"""The manual testing checklist of the LoRA training API, item by item, in its order."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from tests.e2e.installation import Installation, User
from tests.e2e.manual import ROOT
from tests.e2e.training import CONFIG, TRIGGER_WORD, Trained

pytestmark = [pytest.mark.docker, pytest.mark.trainer]

SCHEMA = ROOT / "configs" / "schemas" / "job-config.v1.json"


def refusal(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The body of an answer that is refused in the contract's form."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["ok"], body["error"]) == (status, False, code), answer.text
    assert body["message"]
    return body


def fields(body: dict[str, Any]) -> set[str]:
    return {detail["field"] for detail in body["details"]}


def cancel(user: User, job_id: str) -> None:
    answer = user.http.post(f"/training/jobs/{job_id}/cancel")
    assert answer.status_code == 200, answer.text


@pytest.fixture
def two_running(user: User) -> Iterator[list[str]]:
    """The user's limit is reached."""
    dataset_id = user.upload()
    jobs = [user.start("fake:hang=1", dataset_id=dataset_id) for _ in range(2)]
    yield jobs
    for job_id in jobs:
        cancel(user, job_id)
        user.wait(job_id, "cancelled")


def test_can_submit_a_valid_training_job(trained: Trained) -> None:
    assert (trained.answer["ok"], trained.answer["success"]) == (True, True)
    assert trained.answer["message"]


def test_receives_job_id_on_success(trained: Trained) -> None:
    assert str(uuid.UUID(trained.answer["job_id"])) == trained.job_id


def test_receives_running_or_queued_status(trained: Trained) -> None:
    assert trained.answer["status"] in ("running", "queued")


def test_an_invalid_dataset_id_returns_404(user: User) -> None:
    refusal(user.submit(dataset_id=str(uuid.uuid4())), 404, "DATASET_NOT_FOUND")


def test_a_missing_required_field_returns_400(user: User) -> None:
    body = refusal(user.http.post("/training/submit", json={}), 400, "VALIDATION_FAILED")
    assert fields(body) == {"dataset_id", "type", "base_model", "config"}


def test_an_invalid_parameter_value_returns_400_with_details(user: User) -> None:
    body = refusal(user.submit(dataset_id=str(uuid.uuid4()), config={"steps": 99}), 400, "VALIDATION_FAILED")
    (detail,) = body["details"]
    assert (detail["field"], detail["value"]) == ("config.steps", 99)
    assert "100" in detail["message"]


def test_config_parameters_are_validated_correctly(user: User) -> None:
    """All at once; each bound of each parameter: `test_every_option_outside_its_range_is_named_in_one_answer`."""
    wrong = {
        "learning_rate": 1,
        "batch_size": 1.5,
        "steps": 10_001,
        "resolution": 300,
        "lora_rank": 3,
        "lora_alpha": "16",
    }
    body = refusal(user.submit(dataset_id=str(uuid.uuid4()), config=wrong), 400, "VALIDATION_FAILED")
    assert fields(body) == {f"config.{name}" for name in wrong}


def test_a_maximum_of_two_concurrent_jobs_is_enforced(
    lorry_server: Installation, user: User, two_running: list[str]
) -> None:
    third = user.start("fake:hang=1")
    assert {job["id"] for job in user.get("/training/jobs", status="running")} == set(two_running)
    assert f"/training-{third}" not in [name for each in lorry_server.containers() for name in each["Names"]]
    cancel(user, third)


def test_the_third_job_is_queued_correctly_and_starts_by_itself(user: User, two_running: list[str]) -> None:
    answer = user.submit().json()
    assert (answer["ok"], answer["status"]) == (True, "queued")
    job = user.job(answer["job_id"])
    assert (job["status"], job["container_id"], job["queue"]["position"]) == ("queued", None, 1)
    assert "your limit of 2 running jobs" in job["queue"]["reason"]

    cancel(user, two_running[0])
    assert user.wait(answer["job_id"], "completed")["queue"] is None


def test_an_unauthenticated_request_returns_401(lorry_server: Installation) -> None:
    answer = httpx2.post(f"{lorry_server.url}/api/training/submit", json={}, trust_env=False)
    refusal(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_exceeding_the_rate_limit_returns_429(user: User, stranger: User) -> None:
    dataset_id = user.upload()
    submitted = [user.submit("fake:hang=1", dataset_id=dataset_id) for _ in range(10)]
    assert {answer.status_code for answer in submitted} == {200}
    eleventh = user.submit(dataset_id=dataset_id)
    refusal(eleventh, 429, "RATE_LIMITED")
    assert 1 <= int(eleventh.headers["Retry-After"]) <= 60
    assert eleventh.headers["X-RateLimit-Limit"] == "10"
    assert user.http.get("/training/jobs").json()["total"] == 10
    assert stranger.submit().status_code == 200
    for answer in reversed(submitted):
        cancel(user, answer.json()["job_id"])


def test_the_docker_container_is_created_successfully(trained: Trained) -> None:
    """Its models are read-only and its device a lease, not all GPUs, where the checklist has them otherwise."""
    config, host = trained.container["Config"], trained.container["HostConfig"]
    assert trained.container["Name"] == f"/training-{trained.job_id}"
    assert trained.container["Id"] == trained.job["container_id"]
    assert config["Image"] == "training-image"
    assert config["Cmd"] == ["python", "train_lora.py", "--config", "/workspace/config.json"]
    assert host["AutoRemove"] is False
    assert {mount["Destination"]: mount["RW"] for mount in trained.container["Mounts"]} == {
        "/workspace/config.json": False,
        "/workspace/datasets": False,
        "/workspace/models": False,
        "/workspace/outputs": True,
    }


def test_the_configuration_file_is_written_correctly(trained: Trained) -> None:
    file = trained.installation.data_dir / "configs" / f"{trained.job_id}.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(config)
    assert (config["dataset_path"], config["output_path"]) == ("/workspace/datasets", "/workspace/outputs")
    assert (config["base_model"], config["trigger_words"]) == ("lorry/tiny-sd15", [TRIGGER_WORD])
    assert config["training_params"].items() >= CONFIG.items()
    assert config["training_params"]["batch_size"] == 1, "a default that was not asked for"


def test_the_output_directory_is_created(trained: Trained) -> None:
    (outputs,) = [mount for mount in trained.container["Mounts"] if mount["Destination"] == "/workspace/outputs"]
    assert Path(outputs["Source"]) == trained.installation.data_dir / "outputs" / trained.job_id
    assert Path(outputs["Source"]).is_dir()


def test_the_database_record_is_created(trained: Trained) -> None:
    job = trained.look()
    assert (job["user_id"], job["dataset_id"], job["type"]) == ("photographer", trained.dataset_id, "lora")
    assert (job["base_model"], job["trigger_words"]) == ("lorry/tiny-sd15", [TRIGGER_WORD])
    assert job["config"].items() >= CONFIG.items()
    assert (job["container_id"], job["error_message"]) == (trained.container["Id"], None)
    assert job["created_at"] <= job["started_at"] <= job["completed_at"] <= job["updated_at"]


def test_the_job_status_is_tracked_properly(trained: Trained) -> None:
    history = [event for event in trained.records("events") if event["type"] == "status"]
    assert [(event["old_status"], event["new_status"]) for event in history] == [
        (None, "queued"),
        ("queued", "pending"),
        ("pending", "running"),
        ("running", "completed"),
    ]
    assert (trained.job["status"], trained.job["exit_code"], trained.job["progress"]) == ("completed", 0, 100)
