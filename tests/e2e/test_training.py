"""The real trainer over HTTP: an adapter that a user's own diffusers loads, and the same one once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from tests.e2e.installation import User
from tests.e2e.training import NAME, TRAINED_WITHIN_SECONDS, Trained

pytestmark = [pytest.mark.docker, pytest.mark.trainer]


def adapters(user: User, job_id: str) -> dict[str, bytes]:
    """A job's adapter files by their paths."""
    listed = [artifact for artifact in user.records(job_id, "artifacts") if artifact["kind"] == "adapter"]
    return {artifact["path"]: user.http.get(f"/artifacts/{artifact['id']}/download").content for artifact in listed}


def test_photographs_become_an_adapter_that_diffusers_loads(trained: Trained, tmp_path: Path) -> None:
    files = adapters(trained.user, trained.job_id)
    assert {Path(path).suffix for path in files} == {".safetensors"}
    for number, content in enumerate(files.values()):
        file = tmp_path / f"{number}.safetensors"
        file.write_bytes(content)
        assert changed_by(file, trained.installation.data_dir / "models" / "lorry--tiny-sd15") > 0


def changed_by(adapter: Path, base_model: Path) -> float:
    """The mean change of a picture of `base_model` when diffusers loads `adapter`."""
    from diffusers import StableDiffusionPipeline  # noqa: PLC0415 - takes seconds, which other tests need not wait for

    pipeline: Any = StableDiffusionPipeline.from_pretrained(base_model, local_files_only=True, use_safetensors=True)
    before = picture(pipeline)
    pipeline.load_lora_weights(adapter.parent, weight_name=adapter.name, local_files_only=True)
    return float(np.abs(picture(pipeline) - before).mean())


def picture(pipeline: Any) -> Any:
    """(height, width, 3) in 0..1, always from the same noise."""
    import torch  # noqa: PLC0415 - as above

    noise = torch.Generator().manual_seed(0)
    drawn = pipeline("a photo", height=128, width=128, num_inference_steps=4, generator=noise, output_type="np")
    return drawn.images[0]


def test_an_exact_rerun_gives_the_same_weights_to_the_last_bit(trained: Trained) -> None:
    answer = trained.user.http.post(f"/training/jobs/{trained.job_id}/rerun")
    assert answer.status_code == 201, answer.text
    rerun = answer.json()["data"]
    assert rerun["differences"] == []
    rerun_id = rerun["job"]["id"]
    trained.user.wait(rerun_id, "completed", within_seconds=TRAINED_WITHIN_SECONDS)

    first, second = (adapters(trained.user, job_id) for job_id in (trained.job_id, rerun_id))
    assert len(first) == 2
    assert first.keys() == second.keys()
    for path, content in first.items():
        assert tensors(content) == tensors(second[path]), path
    assert {rerun_id, trained.job_id} <= {each["job_id"] for each in trained.user.get(f"/models/registered/{NAME}")}


def test_a_continued_training_goes_on_after_the_last_step_of_the_first(trained: Trained) -> None:
    user = trained.user
    answer = user.http.post(f"/training/jobs/{trained.job_id}/continue", json={"steps": 110})
    assert answer.status_code == 201, answer.text
    job_id = answer.json()["data"]["job"]["id"]
    job = user.wait(job_id, "completed", within_seconds=TRAINED_WITHIN_SECONDS)

    assert job["continues"] == {"job_id": trained.job_id, "checkpoint": "step-000100", "step": 100}
    assert "resuming after step 100" in user.records(job_id, "logs")
    assert min(metric["step"] for metric in user.records(job_id, "metrics")) == 101
    for content in adapters(user, job_id).values():
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        assert header["__metadata__"]["lorry.continues"] == trained.job_id


def tensors(content: bytes) -> dict[str, bytes]:
    """Not the file's bytes, in which the job and its version are named."""
    return {name: values.tobytes() for name, values in load(content).items()}
