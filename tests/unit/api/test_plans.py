"""What a submission would do, what it is judged by, and what a job will take."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.job import Job, Progress
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.resources import DeviceMemory
from orchestrator.ports.job_store import JobFilter
from tests.unit.api.installation import ALICE, BOB, Installation

SUBMIT, JOBS = "/api/training/submit", "/api/training/jobs"
GB = 1000**3


def plan(lorry: Installation, **changes: Any) -> Any:
    answer = lorry.client.post(f"{SUBMIT}?dry_run=true", json=lorry.body(**changes), headers=lorry.as_user())
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def refusal(lorry: Installation, path: str = SUBMIT, **changes: Any) -> tuple[int, str, dict[str, str]]:
    """The status, the code, and what is said of which field."""
    answer = lorry.client.post(path, json=lorry.body(**changes), headers=lorry.as_user())
    body = answer.json()
    return answer.status_code, body["error"], {detail["field"]: detail["message"] for detail in body["details"]}


def completed(lorry: Installation, *, seconds: float, **changes: Any) -> Job:
    job = lorry.orchestrator.claim(lorry.jobs.get(lorry.submit(**changes)))
    progress = Progress(current_step=job.config.steps, metrics={"loss": 0.1})
    running = lorry.jobs.save(
        job.running(started_at=job.updated_at, at=job.updated_at).with_progress(progress, at=job.updated_at)
    )
    lorry.clock.advance(seconds)
    return lorry.jobs.save(running.ended(EndReason.ADAPTER_VERIFIED, at=lorry.clock.now()))


def test_nothing_is_estimated_where_nothing_ran_before(lorry: Installation) -> None:
    assert plan(lorry)["estimate"] is None
    assert lorry.client.get(f"{JOBS}/{lorry.submit()}", headers=lorry.as_user()).json()["data"]["estimate"] is None


def test_a_plan_and_a_waiting_job_tell_what_it_will_take_and_cost_and_why(lorry: Installation) -> None:
    completed(lorry, seconds=1_800, config={"steps": 1_000})
    expected = {
        "duration_seconds": 3_600.0,
        "cost": 2.0,
        "memory_bytes": None,
        "basis": "same_settings",
        "run_count": 1,
        "explanation": "Median of 1 job completed with the same base model, resolution and images a step.",
    }

    assert plan(lorry, config={"steps": 2_000})["estimate"] == expected
    job_id = lorry.submit(config={"steps": 2_000})
    assert lorry.client.get(f"{JOBS}/{job_id}", headers=lorry.as_user()).json()["data"]["estimate"] == expected


def test_a_job_that_trains_is_estimated_by_its_own_progress_and_an_ended_one_no_more(lorry: Installation) -> None:
    completed(lorry, seconds=1_800)
    job = lorry.orchestrator.claim(lorry.jobs.get(lorry.submit()))
    now = lorry.clock.now()
    job = job.running(started_at=now, at=now).with_progress(Progress(eta_seconds=300.0), at=now)
    job = lorry.jobs.save(job)
    lorry.clock.advance(60)

    def estimate() -> Any:
        return lorry.client.get(f"{JOBS}/{job.id}", headers=lorry.as_user()).json()["data"]["estimate"]

    assert (estimate()["duration_seconds"], estimate()["cost"], estimate()["basis"]) == (360.0, 0.2, "progress")
    lorry.jobs.save(job.ended(EndReason.ADAPTER_VERIFIED, at=lorry.clock.now()))
    assert estimate() is None


@pytest.mark.parametrize(
    ("reason", "config", "is_early"),
    [
        (EndReason.CANCEL_REQUESTED, {}, True),
        (EndReason.ADAPTER_VERIFIED, {"early_stopping_patience": 2, "validation_every": 10}, True),
        (EndReason.ADAPTER_VERIFIED, {}, False),
        (EndReason.TRAINER_FAILED, {}, False),
    ],
)
def test_a_job_that_ended_early_says_what_that_saved_and_any_other_nothing(
    lorry: Installation, reason: EndReason, config: dict[str, Any], *, is_early: bool
) -> None:
    job = lorry.orchestrator.claim(lorry.jobs.get(lorry.submit(config={"steps": 1_000} | config)))
    now = lorry.clock.now()
    job = lorry.jobs.save(
        job.running(started_at=now, at=now).with_progress(Progress(current_step=250, total_steps=1_000), at=now)
    )
    lorry.clock.advance(600)
    lorry.jobs.save(job.ended(reason, at=lorry.clock.now()))

    saved = lorry.client.get(f"{JOBS}/{job.id}", headers=lorry.as_user()).json()["data"]["saved"]

    assert saved == (
        {
            "steps": 750,
            "duration_seconds": 1_800.0,
            "cost": 1.0,
            "explanation": "The 750 steps that it did not take, at the pace of those it took.",
        }
        if is_early
        else None
    )


def test_a_plan_recommends_what_would_suit_the_dataset_better(lorry: Installation) -> None:
    dataset = lorry.dataset(items=3)
    recommended = {each["option"]: each["value"] for each in plan(lorry, dataset_id=dataset)["recommendations"]}
    assert (recommended["steps"], recommended["lora_rank"]) == (500, 8)

    followed = plan(lorry, dataset_id=dataset, config=recommended)
    assert followed["recommendations"] == []


def test_a_datasets_recommendations_come_with_their_reasons(lorry: Installation) -> None:
    dataset = lorry.dataset(items=3)
    answer = lorry.client.get(f"/api/datasets/{dataset}/recommendations?type=dreambooth", headers=lorry.as_user())
    found = {each["option"]: each for each in answer.json()["data"]}
    assert found["prior_preservation"]["value"] is True
    assert "3 pictures" in found["prior_preservation"]["reason"]


def test_a_preset_fills_in_what_the_user_left_out(lorry: Installation) -> None:
    listed = lorry.client.get("/api/catalog/presets", headers=lorry.as_user()).json()["data"]
    assert [(preset["name"], preset["config"]) for preset in listed] == [("subject", {"steps": 1_500, "lora_rank": 8})]

    config = plan(lorry, preset="subject", config={"lora_rank": 16, "seed": 7})["config"]

    assert (config["steps"], config["lora_rank"], config["seed"], config["batch_size"]) == (1_500, 16, 7, 1)


def test_a_job_keeps_the_name_of_its_preset_and_the_options_that_it_gave(lorry: Installation) -> None:
    answer = lorry.client.post(JOBS, json=lorry.body(preset="subject"), headers=lorry.as_user())
    assert (answer.json()["data"]["preset"], answer.json()["data"]["config"]["steps"]) == ("subject", 1_500)


def test_a_preset_that_does_not_exist_is_refused_with_those_that_do(lorry: Installation) -> None:
    status, code, told = refusal(lorry, preset="fast")
    assert (status, code) == (400, "PRESET_UNKNOWN")
    assert told["preset"] == "There is no preset 'fast'. Choose one of: subject."


def test_a_job_joins_only_an_experiment_of_its_user(lorry: Installation) -> None:
    for unusable in (lorry.experiment(BOB), "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11"):
        status, code, _ = refusal(lorry, experiment_id=unusable)
        assert (status, code) == (404, "EXPERIMENT_NOT_FOUND")
    mine = lorry.experiment(ALICE)
    assert lorry.jobs.get(lorry.submit(experiment_id=mine)).experiment_id == mine


def test_an_admin_does_not_submit_into_anothers_experiment(lorry: Installation) -> None:
    body = lorry.body(dataset_id=lorry.dataset("root"), experiment_id=lorry.experiment(BOB))
    assert lorry.client.post(SUBMIT, json=body, headers=lorry.as_admin()).status_code == 404


def test_a_plan_says_what_is_needed_of_the_disk_and_of_the_gpus_memory_and_what_there_is(lorry: Installation) -> None:
    lorry.engine_answers("GPU-a", "GPU-b", memory=DeviceMemory(total_bytes=24 * GB, free_bytes=20 * GB))
    lorry.upload_disk.free = 100 * GB
    made = plan(lorry, base_model="org/model", config={"lora_rank": 10, "keep_checkpoints": 1})

    assert made["disk"]["model_bytes"] == 4 * 1024**3
    assert (made["disk"]["adapter_bytes"], made["disk"]["checkpoint_bytes"]) == (4 * 10 * 10_000, 2 * 4 * 10 * 10_000)
    parts = ("model_bytes", "adapter_bytes", "checkpoint_bytes", "sample_bytes")
    assert made["disk"]["needed_bytes"] == sum(made["disk"][part] for part in parts)
    assert (made["disk"]["free_bytes"], made["disk"]["fits"]) == (100 * GB, True)
    assert made["memory"] == {
        "needed_bytes": 2 * 1024**3,
        "is_measured": False,
        "total_bytes": 24 * GB,
        "free_bytes": 20 * GB,
        "fits": None,
    }
    assert made["warnings"] == []


def test_a_plan_without_a_gpu_says_nothing_of_its_memory(lorry: Installation) -> None:
    lorry.engine_answers("cpu-0")
    assert plan(lorry, base_model="org/model")["memory"] is None


def test_warnings_hold_up_nobody_who_does_not_say_which_are_accepted(lorry: Installation) -> None:
    lorry.upload_disk.free = 1
    (warning,) = plan(lorry, base_model="org/model")["warnings"]
    assert (warning["code"], warning["field"]) == ("disk_short", "config.keep_checkpoints")
    lorry.submit(base_model="org/model")
    lorry.submit(base_model="org/model", accepted_warnings=["disk_short"])

    for path in (SUBMIT, JOBS):
        status, code, told = refusal(lorry, path, base_model="org/model", accepted_warnings=[])
        assert (status, code) == (409, "WARNINGS_NOT_ACCEPTED")
        assert told == {"config.keep_checkpoints": warning["message"]}


@pytest.mark.parametrize("path", [SUBMIT, f"{SUBMIT}?dry_run=true"])
def test_options_that_contradict_each_other_or_the_model_are_refused_beside_their_fields(
    lorry: Installation, path: str
) -> None:
    options = {"text_encoder_lora": True, "early_stopping_patience": 2}
    status, code, told = refusal(lorry, path, base_model="lorry/tiny-z-image", config=options)
    assert (status, code) == (400, "OPTIONS_CONTRADICT")
    assert list(told) == ["config.text_encoder_lora", "config.early_stopping_patience"]
    assert refusal(lorry, path, base_model="no/model", config=options)[1] == "VALIDATION_FAILED"


def test_what_a_preset_contradicts_is_refused_too(lorry: Installation) -> None:
    assert refusal(lorry, preset="subject", config={"prior_preservation": True})[1] == "OPTIONS_CONTRADICT"


@pytest.mark.parametrize("path", [SUBMIT, f"{SUBMIT}?dry_run=true", f"{JOBS}?dry_run=true"])
def test_everything_that_is_wrong_is_told_at_once_and_nothing_stored(lorry: Installation, path: str) -> None:
    lorry.engine_answers("cpu-0")
    status, code, told = refusal(
        lorry,
        path,
        base_model="no/model",
        gpus=2,
        preset="fast",
        experiment_id="5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11",
        dataset_id=lorry.dataset(BOB),
    )

    assert (status, code) == (400, "VALIDATION_FAILED")
    assert list(told) == ["base_model", "gpus", "experiment_id", "preset", "dataset_id"]
    assert lorry.jobs.list(JobFilter()).total == 0


def test_one_thing_wrong_keeps_its_own_code(lorry: Installation) -> None:
    assert refusal(lorry, base_model="no/model")[:2] == (400, "MODEL_NOT_ALLOWED")
    assert refusal(lorry, dataset_id=lorry.dataset(BOB))[:2] == (403, "DATASET_FORBIDDEN")


def test_a_key_sent_again_with_another_choice_of_options_is_another_body(lorry: Installation) -> None:
    headers = lorry.as_user() | {"Idempotency-Key": "one"}
    body = lorry.body(preset="subject", config={})
    assert lorry.client.post(SUBMIT, json=body, headers=headers).status_code == 200
    assert lorry.client.post(SUBMIT, json=body, headers=headers).status_code == 200
    changed = replace_config(body, lora_rank=16)  # the default, but now it wins over the preset's
    assert lorry.client.post(SUBMIT, json=changed, headers=headers).status_code == 409


def replace_config(body: dict[str, Any], **config: Any) -> dict[str, Any]:
    return body | {"config": config}
