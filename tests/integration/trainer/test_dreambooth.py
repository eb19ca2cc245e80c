"""A subject, its class, two shapes: a stopped run prepares nothing twice, and ends like a straight one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image
from safetensors.numpy import load_file

from lora_trainer.base_model import inspect_base_model
from lora_trainer.config import JobConfig, TrainingParams
from lora_trainer.errors import StoppedOnRequest
from lora_trainer.events import EventLog
from lora_trainer.phases import train_adapter
from lora_trainer.preflight import inspect_dataset
from lora_trainer.stop import StopRequest
from tests.unit.trainer.documents import PHOTOGRAPHS, job_document

STEPS = 4
PARAMS = TrainingParams(
    steps=STEPS,
    resolution=256,
    lora_rank=4,
    learning_rate=1e-3,
    batch_size=2,
    horizontal_flip=True,
    train_val_split=0.2,
    prior_preservation=True,
    class_prompt="a photo of a thing",
    class_images=1,
)


class Watch(EventLog):
    """Notes when each prepared file was written, and asks for a stop once class images and latents are there."""

    def __init__(self, outputs, stop=None):
        super().__init__(outputs)
        self.prepared = {}
        self.sentences = []
        self._outputs = outputs
        self._stop = stop

    def emit(self, kind, **fields):
        super().emit(kind, **fields)
        self.sentences.append((kind, fields))
        if kind == "phase" and fields["phase"] in ("train", "evaluate"):
            cache = self._outputs / ".cache"
            self.prepared = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
        if kind == "metrics" and self._stop:
            self._stop.is_made = True


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Nine photographs, six of them wide."""
    folder = tmp_path_factory.mktemp("dataset")
    for number, path in enumerate(sorted(PHOTOGRAPHS.glob("*.jpg"))):
        size = (500, 300) if number % 3 else (300, 300)
        Image.open(path).resize(size).save(folder / f"{path.stem}.png")
    return folder


@pytest.fixture
def attempt(base_model, dataset):
    """Trains in `outputs` and returns what was watched."""

    def train(outputs, stop=None, **changes):
        outputs.mkdir(exist_ok=True)
        document = job_document(
            type="dreambooth",
            dataset_path=str(dataset),
            base_model_path=str(base_model),
            output_path=str(outputs),
            training_params=replace(PARAMS, **changes),
        )
        watch = Watch(outputs, stop)
        try:
            items, family = inspect_dataset(dataset), inspect_base_model(base_model)
            train_adapter(JobConfig(**document), items, family, watch, stop or StopRequest())
        except StoppedOnRequest as error:
            watch.sentences.append(("stopped", str(error)))
        return watch

    return train


def weights(outputs):
    return {name: values.tobytes() for name, values in load_file(outputs / "nine-photographs.safetensors").items()}


@pytest.mark.parametrize("adapts_text", [False, True], ids=["UNet", "text encoders too"])
def test_a_stopped_run_prepares_nothing_twice_and_ends_like_a_straight_one(attempt, tmp_path, adapts_text):
    straight = attempt(tmp_path / "straight", text_encoder_lora=adapts_text)
    stopped = attempt(tmp_path / "stopped", StopRequest(), text_encoder_lora=adapts_text)
    assert stopped.sentences[-1] == ("stopped", f"stopped on request at step 1 of {STEPS}; a checkpoint is saved")

    resumed = attempt(tmp_path / "stopped", text_encoder_lora=adapts_text)

    encoded = [path for path in resumed.prepared if path.parent.name == "encoded"]
    prompts = 0 if adapts_text else 2  # of what is trained on with its class, and of what is held out
    assert len(encoded) == 9 + 1 + prompts  # each picture, also the class's
    assert len(resumed.prepared) == len(encoded) + 1  # and the class image
    assert resumed.prepared == stopped.prepared
    assert weights(tmp_path / "stopped") == weights(tmp_path / "straight")
    for watch, outputs in ((straight, "straight"), (resumed, "stopped")):
        (result,) = [fields for kind, fields in watch.sentences if kind == "result"]
        assert (result["train_count"], result["val_count"]) == (8, 1)
        assert not (tmp_path / outputs / ".cache").exists()
    (first, *_) = [fields for kind, fields in straight.sentences if kind == "progress"]
    assert (first["step"], first["prepared"], first["to_prepare"]) == (0, 0, 9 + 1 + 1)
