"""From items to prompts, held-out items and pixels."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lora_trainer.buckets import Bucket, bucket_for, buckets
from lora_trainer.config import load_config
from lora_trainer.data import apply_trigger_words, load_pixels, prompt_of, split
from lora_trainer.preflight import Item
from orchestrator.domain.lineage import caption_template
from orchestrator.domain.training import TrainingConfig, TrainingType
from tests.unit.trainer.documents import write_config


@pytest.mark.parametrize(
    ("caption", "words", "prompt"),
    [
        ("a cat", ["sks"], "sks, a cat"),
        ("a photo of [trigger] on a sofa", ["sks cat"], "a photo of sks cat on a sofa"),
        ("an SKS cat", ["sks"], "an SKS cat"),
        ("a skset", ["sks"], "sks, a skset"),
        ("", ["sks", "blue"], "sks, blue"),
        ("blue sofa", ["sks", "blue"], "sks, blue sofa"),
        ("a cat", [], "a cat"),
        ("گربه روی مبل", ["گربه"], "گربه روی مبل"),
        ("روی مبل", ["گربه"], "گربه, روی مبل"),
    ],
)
def test_trigger_words_are_in_every_prompt_once(caption, words, prompt):
    assert apply_trigger_words(caption, words) == prompt


@pytest.mark.parametrize("training_type", list(TrainingType)[:2])
@pytest.mark.parametrize("words", [("sks",), ("sks", "blue"), ()])
def test_prompts_are_made_by_the_template_that_the_lineage_tells(tmp_path, training_type, words):
    if training_type is TrainingType.DREAMBOOTH and not words:
        words = ("sks",)
    config = load_config(write_config(tmp_path, type=training_type, trigger_words=list(words)))
    template = caption_template(training_type, words)

    assert prompt_of(Item(Path("one.png"), "0" * 64, (8, 8), "a cat"), config) == template.replace("{caption}", "a cat")


def items(count, *, prefix=""):
    return [
        Item(Path(f"{prefix}{index}.png"), hashlib.sha256(b"%d" % index).hexdigest(), (8, 8), "")
        for index in range(count)
    ]


def test_the_split_follows_the_content_not_names_or_order():
    train, held_out = split(items(20), 0.25)
    again_train, again_held_out = split(items(20, prefix="renamed-")[::-1], 0.25)

    assert [item.sha256 for item in held_out] == [item.sha256 for item in again_held_out]
    assert [item.sha256 for item in train] == [item.sha256 for item in again_train]
    assert not {item.sha256 for item in train} & {item.sha256 for item in held_out}


@pytest.mark.parametrize("count", [1, 4, 5, 9, 10, 19, 20, 101])
@pytest.mark.parametrize("share", [0, 0.1, 0.2, 0.5])
def test_as_many_are_held_out_as_the_server_foretold(count, share):
    train, held_out = split(items(count), share)

    assert (len(train), len(held_out)) == TrainingConfig(train_val_split=share).train_val_counts(count)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_a_picture_that_is_added_moves_at_most_one_other_across_the_split(share):
    many = items(60)
    for count in range(10, 60):
        sides = [{item.sha256 for item in split(many[:size], share)[1]} for size in (count, count + 1)]
        added = many[count].sha256

        assert len((sides[0] ^ sides[1]) - {added}) <= 1


@pytest.mark.parametrize("resolution", range(256, 1025, 64))
def test_every_shape_has_about_the_area_asked_for(resolution):
    for bucket in buckets(resolution):
        assert (bucket.width % 64, bucket.height % 64) == (0, 0)
        assert bucket.width * bucket.height / resolution**2 == pytest.approx(1, abs=0.07)
        assert Bucket(bucket.height, bucket.width) in buckets(resolution)
    assert Bucket(resolution, resolution) in buckets(resolution)


@pytest.mark.parametrize(
    ("size", "resolution", "shape"),
    [
        ((1000, 1000), 512, (512, 512)),
        ((6000, 4000), 512, (640, 384)),
        ((4000, 6000), 512, (384, 640)),
        ((1920, 1080), 1024, (1344, 768)),
        ((4000, 3000), 1024, (1216, 896)),
        ((10_000, 100), 512, (1024, 256)),
        ((1, 64_000), 256, (128, 512)),
    ],
)
def test_a_picture_goes_to_the_shape_nearest_to_its_own(size, resolution, shape):
    assert bucket_for(size, resolution) == Bucket(*shape)


def test_a_picture_with_fewer_pixels_than_its_shape_is_enlarged():
    assert Bucket(640, 384).enlarges((700, 383))
    assert not Bucket(640, 384).enlarges((640, 384))


def test_a_picture_is_upright_and_cropped_around_its_centre(tmp_path):
    stored = np.zeros((100, 400, 3), np.uint8)
    stored[:, 100:300] = 255  # the middle, white
    exif = Image.Exif()
    exif[0x0112] = 6  # displayed turned by a quarter
    Image.fromarray(stored).save(tmp_path / "turned.png", exif=exif)

    pixels = load_pixels(tmp_path / "turned.png", Bucket(64, 128))

    assert pixels.shape == (3, 128, 64)
    assert pixels.dtype == np.float32
    assert pixels.min() > 0.9


@pytest.mark.parametrize(
    ("mode", "colour", "level"),
    [
        ("RGBA", (0, 0, 0, 0), 1.0),
        ("LA", (0, 0), 1.0),
        ("I;16", 0x8080, 0.004),
        ("1", 1, 1.0),
        ("L", 0, -1.0),
        ("P", 0, -1.0),
        ("CMYK", (0, 0, 0, 0), 1.0),
    ],
)
def test_every_mode_becomes_rgb_in_minus_one_to_one(tmp_path, mode, colour, level):
    path = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    Image.new(mode, (70, 64), colour).save(path)

    assert load_pixels(path, Bucket(64, 64)).mean() == pytest.approx(level, abs=0.01)
