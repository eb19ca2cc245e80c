"""Everything the API says no to, over real HTTP."""

from __future__ import annotations

import uuid

import httpx2
import pytest

pytestmark = pytest.mark.docker

BELOW = {
    "learning_rate": 9e-7,
    "batch_size": 0,
    "steps": 99,
    "resolution": 192,
    "lora_rank": 3,
    "lora_alpha": 0,
    "seed": -1,
    "lr_warmup_steps": -1,
    "gradient_accumulation_steps": 0,
    "min_snr_gamma": 0.05,
    "noise_offset": -0.1,
    "caption_dropout": -0.1,
    "train_val_split": -0.1,
    "validation_every": 0,
    "sample_every": 0,
    "checkpoint_every": 0,
    "keep_checkpoints": 0,
    "early_stopping_patience": 0,
}
ABOVE = {
    "learning_rate": 1.1e-2,
    "batch_size": 9,
    "steps": 10_001,
    "resolution": 1088,
    "lora_rank": 129,
    "lora_alpha": 129,
    "seed": 2**32,
    "lr_warmup_steps": 10_001,
    "gradient_accumulation_steps": 65,
    "min_snr_gamma": 20.1,
    "noise_offset": 1.1,
    "caption_dropout": 1.1,
    "train_val_split": 0.51,
    "validation_every": 10_001,
    "sample_prompts": ["a photo"] * 9,
    "sample_every": 10_001,
    "checkpoint_every": 10_001,
    "keep_checkpoints": 21,
    "early_stopping_patience": 101,
}
OTHERWISE = {
    "batch_size": 1.5,
    "resolution": 300,
    "lr_scheduler": "linear",
    "optimizer": "sgd",
    "mixed_precision": "fp16",
    "gradient_checkpointing": "yes",
    "sample_prompts": ["x" * 501],
    "no_such_option": 1,
}


def refusal(answer, status, code):
    """The body of an answer that is refused in the contract's form."""
    body = answer.json()
    assert (answer.status_code, body["ok"], body["error"]) == (status, False, code), answer.text
    assert body["message"]
    return body


@pytest.mark.parametrize("config", [BELOW, ABOVE, OTHERWISE], ids=["below", "above", "otherwise"])
def test_every_option_outside_its_range_is_named_in_one_answer(user, config):
    body = refusal(user.submit(config=config, dataset_id=str(uuid.uuid4())), 400, "VALIDATION_FAILED")
    named = {detail["field"].removeprefix("config.").split(".")[0] for detail in body["details"]}
    assert named == set(config)
    assert all(detail["message"] for detail in body["details"])


def test_what_is_no_json_is_refused(user):
    answer = user.http.post(
        "/training/submit", content=b'{"dataset_id": ', headers={"Content-Type": "application/json"}
    )
    refusal(answer, 400, "INVALID_JSON")


def test_a_dataset_of_another_user_or_of_nobody_is_refused(user, stranger):
    refusal(user.submit(dataset_id=stranger.upload()), 403, "DATASET_FORBIDDEN")
    refusal(user.submit(dataset_id=str(uuid.uuid4())), 404, "DATASET_NOT_FOUND")
    assert user.get("/training/jobs") == []


@pytest.mark.parametrize(
    ("headers", "code"), [({}, "UNAUTHENTICATED"), ({"Authorization": "Bearer lorry_wrong"}, "TOKEN_INVALID")]
)
@pytest.mark.parametrize("path", ["/training/jobs", "/datasets", "/catalog/models"])
def test_nobody_gets_in_without_a_good_token(lorry_server, path, headers, code):
    answer = httpx2.get(f"{lorry_server.url}/api{path}", headers=headers, trust_env=False)
    refusal(answer, 401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_another_users_job_does_not_exist_on_any_route(user, stranger):
    job_id = user.start()
    user.wait(job_id, "completed")
    artifact_id = user.records(job_id, "artifacts")[0]["id"]
    job = f"/training/jobs/{job_id}"
    for path in (job, f"{job}/events", f"{job}/metrics", f"{job}/logs", f"{job}/artifacts"):
        assert user.http.get(path).status_code == 200
        refusal(stranger.http.get(path), 404, "JOB_NOT_FOUND")
    artifact = refusal(stranger.http.get(f"/artifacts/{artifact_id}/download"), 404, "ARTIFACT_NOT_FOUND")
    assert job_id not in artifact["message"]
    refusal(stranger.http.post(f"{job}/cancel"), 404, "JOB_NOT_FOUND")
    assert stranger.http.get("/training/jobs").json()["total"] == 0
