"""The fake trainer keeps the protocol of the real one, and breaks it only in the way it was asked to."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file

from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
PARAMS = {
    "learning_rate": 1e-4,
    "batch_size": 1,
    "steps": 100,
    "lora_rank": 4,
    "lora_alpha": 8,
    "seed": 42,
    "train_val_split": 0.2,
}


class FakeJob:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = folder / "outputs"
        self.dataset = folder / "dataset"
        self.params = dict(PARAMS)
        self.outputs.mkdir()
        self.dataset.mkdir()
        for number in range(5):
            (self.dataset / f"{number}.png").touch()

    def start(self, *trigger_words: str) -> subprocess.Popen[str]:
        config = {
            "v": 1,
            "job_id": "0b0e9c5e-6f0e-4c5a-9f5c-111111111111",
            "attempt": 1,
            "name": "cat",
            "type": "lora",
            "dataset_path": str(self.dataset),
            "base_model": "lorry/tiny-sd15",
            "base_model_path": "/models",
            "base_model_revision": "builtin-1",
            "output_path": str(self.outputs),
            "device": "cpu",
            "trigger_words": list(trigger_words),
            "training_params": self.params,
            "lineage": {"lorry.job_id": "one"},
        }
        schema = json.loads((ROOT / "configs/schemas/job-config.v1.json").read_text())
        jsonschema.validate(config, schema)
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        program = ROOT / "images/fake_trainer/train_lora.py"
        command = [sys.executable, "-B", str(program), "--config", str(path)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *trigger_words: str) -> int:
        process = self.start(*trigger_words)
        process.communicate(timeout=30)
        return process.returncode

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.outputs / "events.jsonl").read_text().splitlines()]

    def adapter(self) -> dict[str, Any]:
        """The kohya entry of the result event."""
        result = self.events()[-1]
        assert result["type"] == "result"
        entry: dict[str, Any] = result["adapters"][0]
        return entry


@pytest.fixture
def job(tmp_path: Path) -> FakeJob:
    return FakeJob(tmp_path)


def wait_until_it_trains(job: FakeJob) -> None:
    events = job.outputs / "events.jsonl"
    eventually(lambda: events.exists() and b'"metrics"' in events.read_bytes(), what="the first metrics event")


def test_a_run_writes_only_events_of_the_schema_and_ends_with_the_result(job):
    assert job.run() == 0
    schema = json.loads((ROOT / "configs/schemas/event.v1.json").read_text())
    for event in job.events():
        jsonschema.validate(event, schema)
    types = [event["type"] for event in job.events()]
    assert set(types) == {"phase", "progress", "metrics", "sample", "checkpoint", "result"}
    assert types[-1] == "result"


def test_both_adapter_files_are_valid_finite_and_not_zero(job):
    job.run()
    for entry in job.events()[-1]["adapters"]:
        path = job.outputs / entry["path"]
        assert is_sound(path, entry["sha256"])
        tensors = load_file(path)
        assert all(np.isfinite(tensor).all() and tensor.any() for tensor in tensors.values())


def test_layers_of_text_encoders_are_there_where_they_were_asked_for(job):
    job.params["text_encoder_lora"] = True
    job.run()

    for entry, mark in zip(job.events()[-1]["adapters"], ("lora_te_", "text_encoder."), strict=True):
        assert is_sound(job.outputs / entry["path"], entry["sha256"])
        assert any(name.startswith(mark) for name in load_file(job.outputs / entry["path"]))


@pytest.mark.parametrize("code", [10, 11, 12, 13, 14, 70])
def test_an_exit_code_asked_for_comes_after_an_error_event(job, code):
    assert job.run(f"fake:exit={code}") == code
    assert job.events()[-1]["type"] == "error"


def test_a_dataset_without_images_ends_with_its_own_code(job):
    for image in job.dataset.iterdir():
        image.unlink()
    assert job.run() == 11


def test_sigterm_saves_a_checkpoint_and_ends_with_15(job):
    process = job.start("fake:seconds=20")
    wait_until_it_trains(job)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 15
    assert [event["type"] for event in job.events()[-2:]] == ["checkpoint", "error"]


def test_sigterm_can_be_ignored(job):
    process = job.start("fake:ignore_sigterm=1", "fake:seconds=2")
    wait_until_it_trains(job)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize(("fault", "value"), [("nan", np.nan), ("zero", 0.0)])
def test_spoilt_weights_are_in_the_file_and_its_hash_is_right(job, fault, value):
    assert job.run(f"fake:result={fault}") == 0
    entry = job.adapter()
    path = job.outputs / entry["path"]
    assert is_sound(path, entry["sha256"])
    weights = [tensor for name, tensor in load_file(path).items() if name.endswith(".weight")]
    assert all(np.array_equal(tensor, np.full_like(tensor, value), equal_nan=True) for tensor in weights)


@pytest.mark.parametrize("fault", ["missing", "truncated", "wrong_hash", "outside", "symlink"])
def test_a_spoilt_result_is_announced_as_if_it_were_good(job, fault):
    assert job.run(f"fake:result={fault}") == 0
    entry = job.adapter()
    assert not is_sound(job.outputs / entry["path"], entry["sha256"])


def is_sound(path: Path, sha256: str) -> bool:
    if ".." in path.parts or path.is_symlink() or not path.is_file():
        return False
    try:
        load_file(path)
    except SafetensorError:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
