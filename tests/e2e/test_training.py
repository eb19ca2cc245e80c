"""The real trainer over HTTP: an adapter that a user's own diffusers loads, and a dataset it cannot use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.installation import Installation, User

pytestmark = [pytest.mark.docker, pytest.mark.trainer]

PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "configs" / "samples" / "photographs"
TRAINED_WITHIN_SECONDS = 300.0  # a machine that does other things too
CONFIG = {
    "steps": 100,
    "resolution": 256,
    "lora_rank": 8,
    "lora_alpha": 8,
    "learning_rate": 2e-3,
    "train_val_split": 0.2,
}


@pytest.fixture(scope="module")
def real_server(install_for_module) -> Installation:
    installation = install_for_module(LORRY_IMAGE="training-image")
    installation.serve()
    installation.wait_until_ready()
    return installation


@pytest.fixture
def alice(real_server: Installation) -> User:
    return real_server.user("alice")


def photographs() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in PHOTOGRAPHS.iterdir() if path.suffix in (".jpg", ".txt")}


def picture(pipeline: Any) -> Any:
    """(height, width, 3) in 0..1, always from the same noise."""
    import torch  # noqa: PLC0415 - takes seconds, which the other tests need not wait for

    noise = torch.Generator().manual_seed(0)
    drawn = pipeline("a photo", height=128, width=128, num_inference_steps=4, generator=noise, output_type="np")
    return drawn.images[0]


def test_photographs_become_an_adapter_that_diffusers_loads(real_server, alice, tmp_path):
    job_id = alice.start("lorry photo", dataset_id=alice.upload(photographs()), config=CONFIG)
    job = alice.wait(job_id, "completed", within_seconds=TRAINED_WITHIN_SECONDS)
    assert (job["current_step"], job["train_count"], job["val_count"]) == (100, 8, 1)
    (result,) = [event["data"] for event in alice.records(job_id, "events") if event["type"] == "result"]
    assert result["eval_loss_after"] < result["eval_loss_before"]

    adapters = [artifact for artifact in alice.records(job_id, "artifacts") if artifact["kind"] == "adapter"]
    assert {Path(adapter["path"]).suffix for adapter in adapters} == {".safetensors"}
    for adapter in adapters:
        file = tmp_path / adapter["id"] / adapter["name"]
        file.parent.mkdir()
        file.write_bytes(alice.http.get(f"/artifacts/{adapter['id']}/download").content)
        assert changed_by(file, real_server.data_dir / "models" / "lorry--tiny-sd15") > 0


def changed_by(adapter: Path, base_model: Path) -> float:
    """The mean change of a picture of `base_model` when diffusers loads `adapter`."""
    from diffusers import StableDiffusionPipeline  # noqa: PLC0415 - as above

    pipeline: Any = StableDiffusionPipeline.from_pretrained(base_model, local_files_only=True, use_safetensors=True)
    before = picture(pipeline)
    pipeline.load_lora_weights(adapter.parent, weight_name=adapter.name, local_files_only=True)
    return float(np.abs(picture(pipeline) - before).mean())


def test_a_dataset_that_the_trainer_cannot_read_ends_with_its_sentence(real_server, alice):
    dataset_id = alice.upload(photographs())
    folder = real_server.data_dir / "datasets" / dataset_id
    spoilt = min(folder.glob("*.jpg"))
    spoilt.write_bytes(b"no picture any more")
    job = alice.wait(alice.start(dataset_id=dataset_id, config=CONFIG), "failed")
    assert (job["end_reason"], job["exit_code"]) == ("dataset_unusable", 11)
    assert "1 of 9 items are unusable" in job["error_message"]
    assert spoilt.name in job["error_message"]
    assert [artifact["kind"] for artifact in alice.records(job["id"], "artifacts")].count("adapter") == 0
    real_server.wait_for_no_container()
