"""The program itself on everything that users send by mistake: the right exit code, and a sentence that names the file.

Where torch must not be needed for that, it cannot be imported.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.factories import picture_bytes
from tests.integration.trainer.conftest import RUN_SECONDS
from tests.unit.trainer.base_models import fill_model, pickled, write_index
from tests.unit.trainer.documents import TRAINER, write_config

PERSIAN = "گربه‌ای روی مبل"


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(width=256, height=256):
    pixels = np.random.default_rng(7).integers(0, 255, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


TRUNCATED = encoded(noise(), "PNG")[:5000]
HUGE = encoded(Image.new("1", (13_000, 13_000)), "PNG")
CMYK = encoded(noise().convert("CMYK"), "JPEG")
GREY_16_BIT = encoded(Image.fromarray(np.full((256, 256), 0x8080, np.uint16)), "PNG")
ANIMATED = encoded(noise(), "WEBP", save_all=True, append_images=[Image.new("RGB", (256, 256))])


@pytest.fixture
def job(tmp_path):
    return build_job(tmp_path)


def build_job(folder):
    """A folder whose preflight passes: config.json, dataset/ with cat.png and its caption, model/, outputs/."""
    for name in ("dataset", "outputs", "without-torch"):
        (folder / name).mkdir()
    (folder / "dataset" / "cat.png").write_bytes(picture_bytes(256, 256))
    (folder / "dataset" / "cat.txt").write_text("a cat", encoding="utf-8")
    fill_model(folder / "model")
    (folder / "without-torch" / "torch.py").write_text("raise RuntimeError('torch is imported')")
    configure(folder)
    return folder


def configure(folder, **changes):
    paths = {"dataset_path": "dataset", "base_model_path": "model", "output_path": "outputs"}
    write_config(folder, **{key: str(folder / name) for key, name in paths.items()} | changes)


def train(folder, **options):
    return subprocess.run(
        [sys.executable, "train_lora.py", "--config", str(folder / "config.json")],
        cwd=TRAINER,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
        **options,
    )


def train_without_torch(folder):
    return train(folder, env=os.environ | {"PYTHONPATH": str(folder / "without-torch")})


def last_event(folder):
    return json.loads((folder / "outputs" / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1])


def put(**files):
    """Files into the dataset, under their names with a dot for the last underscore; None takes one away."""

    def spoil(folder):
        for key, content in files.items():
            path = folder / "dataset" / ".".join(key.rsplit("_", 1))
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def wrong_family(folder):
    write_index(folder / "model", "StableDiffusionPipeline")
    index = folder / "model" / "model_index.json"
    index.write_text(index.read_text().replace("StableDiffusionPipeline", "WanPipeline"))


REFUSED = {
    "empty folder": (put(cat_png=None), 11, "the dataset has no images"),
    "no folder": (lambda job: shutil.rmtree(job / "dataset"), 11, "dataset cannot be read (No such file"),
    "truncated PNG": (put(half_png=TRUNCATED), 11, "half.png cannot be read"),
    "13000x13000 PNG": (put(huge_png=HUGE), 11, "huge.png has more than 64000000 pixels"),
    "no picture": (put(notes_jpg="hello"), 11, "notes.jpg is not a PNG, JPEG or WebP picture"),
    "caption not UTF-8": (put(cat_txt="café".encode("latin-1")), 11, "cat.txt is not UTF-8 text"),
    "no caption, no trigger words": (
        lambda job: (put(cat_txt=None)(job), configure(job, trigger_words=[])),
        11,
        "no image has a caption",
    ),
    "duplicate names": (put(cat_jpg=CMYK), 11, "cat.jpg and cat.png share one name"),
    "metadata that is no JSON": (put(metadata_jsonl="{"), 11, "metadata.jsonl line 1 is not valid JSON"),
    "metadata of a lost picture": (
        put(metadata_jsonl='{"file_name": "dog.png", "text": "a dog"}'),
        11,
        "metadata.jsonl line 1 names 'dog.png', which is no picture of this folder",
    ),
    "pickle weights": (lambda job: pickled(job / "model"), 12, "unet/diffusion_pytorch_model.bin is a pickle"),
    "wrong family": (wrong_family, 12, "base model is a 'WanPipeline'"),
    "no outputs folder": (lambda job: shutil.rmtree(job / "outputs"), 10, "is not a folder this user may write to"),
    "bad setting": (lambda job: configure(job, training_params={"steps": 1}), 10, "training_params.steps: must be"),
    "text encoders that nobody trains": (
        lambda job: (
            fill_model(job / "another", "Flux2KleinPipeline"),
            configure(job, base_model_path=str(job / "another"), training_params={"text_encoder_lora": True}),
        ),
        10,
        "training_params.text_encoder_lora: the language model that reads this base model's prompts is not trained",
    ),
    "bad diagnostic setting": (
        lambda job: configure(job, type="diagnostic", training_params={"epochs": 0}),
        10,
        "training_params.epochs: must be",
    ),
}


@pytest.mark.parametrize(("spoil", "exit_code", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_hopeless_job_is_refused_without_torch(job, spoil, exit_code, sentence):
    spoil(job)

    ended = train_without_torch(job)

    assert ended.returncode == exit_code, ended
    assert sentence in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    if (job / "outputs").exists():
        error = last_event(job)
        assert (error["type"], sentence in error["message"]) == ("error", True)


def test_every_bad_file_is_named_at_once(job):
    put(half_png=TRUNCATED, huge_png=HUGE, notes_jpg="hello", notes_txt=b"\xff", metadata_jsonl="[]")(job)

    ended = train_without_torch(job)

    assert ended.returncode == 11
    for name in ("half.png", "huge.png", "notes.txt", "metadata.jsonl line 1"):
        assert name in last_event(job)["message"]


@pytest.fixture(scope="module")
def odd_run(base_model, tmp_path_factory):
    """(job, its end) of a real training on odd but usable pictures, where no file can hold a checkpoint."""
    job = build_job(tmp_path_factory.mktemp("odd"))
    put(
        cat_txt=PERSIAN,
        printed_jpg=CMYK,
        deep_png=GREY_16_BIT,
        clip_webp=ANIMATED,
        copy_webp=ANIMATED,
        small_png=encoded(noise(100, 60), "PNG"),
        metadata_jsonl='{"file_name": "deep.png", "text": "a grey square"}',
    )(job)
    configure(job, base_model_path=str(base_model), training_params={"resolution": 256, "checkpoint_every": 1})
    return job, train(job, env=os.environ | {"HF_HUB_OFFLINE": "1"}, preexec_fn=limit_files)


def limit_files():
    """Ends a write as a full disk does; the caches and events of a small run stay below."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))


def test_an_odd_but_usable_dataset_trains_with_a_warning_that_names_each_surprise(odd_run):
    job, ended = odd_run
    events = [json.loads(line) for line in (job / "outputs" / "events.jsonl").read_text(encoding="utf-8").splitlines()]

    assert "preflight: 6 items are fine" in ended.stdout
    assert [event["step"] for event in events if event["type"] == "metrics"] == [1]
    warnings = [event["message"] for event in events if event["type"] == "warning"]
    assert warnings == [
        "1 images are smaller than resolution 256 asks for and are enlarged: small.png (100x60)",
        "4 images have no caption: clip.webp; copy.webp; printed.jpg; small.png",
        "2 images are animated and only their first frame is used: clip.webp; copy.webp",
        "1 images are copies of others and count more than once: copy.webp",
    ]
    assert all(f"warning: {warning}" in ended.stdout for warning in warnings)


def test_a_full_disk_has_its_own_exit_code_and_names_what_could_not_be_written(odd_run):
    job, ended = odd_run

    assert ended.returncode == 16, ended
    assert "disk_full: no room is left in the outputs folder to write step-000001" in ended.stdout
    assert last_event(job)["code"] == "disk_full"
    assert list((job / "outputs" / "checkpoints").glob("step-*")) == []


def test_one_image_is_trained_on_with_a_warning(job):
    ended = train_without_torch(job)

    assert "warning: the dataset is one image, cat.png" in ended.stdout
    assert "preflight: 1 items are fine" in ended.stdout
    assert "torch is imported" in ended.stderr
