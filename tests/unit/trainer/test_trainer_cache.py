"""The encoded dataset: by shape, with every text once, and what a resumed run need not encode again."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from lora_trainer.buckets import Bucket
from lora_trainer.cache import encode, replace_dropped
from lora_trainer.class_images import draw_class_images
from lora_trainer.config import load_config
from lora_trainer.data import Example
from lora_trainer.errors import DiskFull, NotFinite, StoppedOnRequest
from lora_trainer.events import NoEvents
from lora_trainer.preprocess import Job
from lora_trainer.stop import StopRequest
from lora_trainer.tensor_cache import TensorCache
from tests.unit.trainer.documents import write_config

pytestmark = pytest.mark.trainer


class Camera:
    """A family that counts: latents are the picture shrunk by 8, a prompt is its length, a sample is grey."""

    def __init__(self, *, adapts_text=False):
        self.denoiser = SimpleNamespace(device=torch.device("cpu"))
        self.adapts_text = adapts_text
        self.encoded = 0
        self.prompts = []
        self.drawn = []

    def encode_prompts(self, prompts):
        self.prompts += prompts
        return {"text": torch.tensor([[float(len(prompt))] for prompt in prompts])}

    def encode_image(self, pixels):
        self.encoded += 1
        mean = torch.nn.functional.avg_pool2d(pixels, 8)
        return mean, torch.full_like(mean, 0.1)

    def describe_image(self, original, target):
        return {"sizes": torch.tensor([[*original, *target]])}

    def sample(self, _conditioning, _empty, *, seed, resolution, steps):
        self.drawn.append(seed)
        return torch.full((resolution, resolution, 3), (seed % 7) / 7)


def example(folder, name, *, size=(128, 64), prompt="a cat", colours=("black", "white")):
    path = folder / name
    picture = Image.new("RGB", size, colours[0])
    picture.paste(colours[1], (0, 0, size[0] // 2, size[1]))
    picture.save(path)
    return Example(path, name, size, Bucket(*size), prompt)


def encoded(family, examples, folder, *, flip=False, before_each=lambda: None):
    return encode(family, examples, TensorCache(folder / "cache", origin="model"), flip=flip, before_each=before_each)


def test_pictures_lie_by_shape_and_equal_prompts_are_encoded_once(tmp_path):
    family = Camera()
    examples = [
        example(tmp_path, "a.png"),
        example(tmp_path, "b.png", size=(64, 64)),
        example(tmp_path, "c.png", prompt="a blue cat"),
    ]

    data = encoded(family, examples, tmp_path)

    assert data.sizes == (1, 2)
    assert data.shelves[1].keys == ("a.png", "c.png")
    assert sorted(family.prompts) == ["a blue cat", "a cat"]
    batch = data.batch(1, [1, 0], [0, 0])
    assert batch.mean.shape == (2, 3, 8, 16)
    assert batch.conditioning["text"].flatten().tolist() == [10.0, 5.0]
    assert batch.conditioning["sizes"].tolist() == [[128, 64, 128, 64]] * 2


def test_flips_are_kept_beside_the_pictures(tmp_path):
    data = encoded(Camera(), [example(tmp_path, "a.png")], tmp_path, flip=True)

    upright, mirrored = data.shelves[0].mean[0]

    assert data.variants == 2
    assert torch.equal(upright.flip(-1), mirrored)
    assert not torch.equal(upright, mirrored)
    assert torch.equal(data.batch(0, [0], [1]).mean[0], mirrored)


def test_what_was_encoded_once_is_not_encoded_again(tmp_path):
    examples = [example(tmp_path, "a.png"), example(tmp_path, "b.png")]
    family = Camera()
    first = encoded(family, examples, tmp_path)

    again = encoded(family, examples[::-1], tmp_path)

    assert family.encoded == 2
    assert torch.equal(again.shelves[0].mean, first.shelves[0].mean.flip(0))


def test_tokens_of_text_encoders_that_are_trained_are_not_kept(tmp_path):
    one, family = example(tmp_path, "a.png"), Camera(adapts_text=True)

    data = [encoded(family, [one], tmp_path) for _ in range(2)]

    assert (family.encoded, family.prompts) == (1, ["a cat", "a cat"])
    assert torch.equal(data[0].conditioning["text"], data[1].conditioning["text"])
    assert len(list((tmp_path / "cache").iterdir())) == 1  # the picture


@pytest.mark.parametrize("change", [{"sha256": "other"}, {"bucket": Bucket(64, 64)}])
def test_another_content_or_shape_is_encoded_anew(tmp_path, change):
    one, family = example(tmp_path, "a.png"), Camera()
    encoded(family, [one], tmp_path)

    encoded(family, [replace(one, **change)], tmp_path)

    assert family.encoded == 2


def test_another_encoder_and_flips_are_encoded_anew(tmp_path):
    one, family = example(tmp_path, "a.png"), Camera()
    encoded(family, [one], tmp_path)

    encode(family, [one], TensorCache(tmp_path / "cache", origin="other"), flip=False, before_each=lambda: None)
    encoded(family, [one], tmp_path, flip=True)

    assert family.encoded == 4


def test_a_damaged_entry_is_encoded_anew(tmp_path):
    one, family = example(tmp_path, "a.png"), Camera()
    encoded(family, [one], tmp_path)
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(path.read_bytes()[:20])

    encoded(family, [one], tmp_path)

    assert family.encoded == 2
    assert family.prompts == ["a cat", "a cat"]


def entries_of(tmp_path):
    """(cache, file) of two entries, the first of ones and the second of twos."""
    cache = TensorCache(tmp_path / "cache", origin="model")
    files = []
    for value in (1.0, 2.0):
        before = set(tmp_path.glob("cache/*"))
        cache.save({"x": torch.full((3,), value)}, "entry", value)
        files += set(tmp_path.glob("cache/*")) - before
    return cache, files


def flipped_bit(files):
    content = bytearray(files[0].read_bytes())
    content[-1] ^= 1
    files[0].write_bytes(content)


def moved(files):
    files[1].replace(files[0])


def a_link(files):
    files[1].rename(files[1].with_name("elsewhere"))
    files[0].unlink()
    files[0].symlink_to("elsewhere")


def a_pipe(files):
    files[0].unlink()
    os.mkfifo(files[0])


def forged(files):
    """A right digest over what is no tensors."""
    body = b"no tensors"
    files[0].write_bytes(hashlib.sha256(files[0].name.encode() + body).digest() + body)


def a_folder(files):
    files[0].unlink()
    files[0].mkdir()


@pytest.mark.parametrize("spoil", [flipped_bit, moved, a_link, a_pipe, forged, a_folder])
def test_an_entry_that_is_not_what_was_saved_is_none(tmp_path, spoil):
    cache, files = entries_of(tmp_path)
    assert cache.load("entry", 1.0)["x"].tolist() == [1.0] * 3

    spoil(files)

    assert cache.load("entry", 1.0) is None
    cache.save({"x": torch.ones(3)}, "entry", 1.0)  # a folder in its place stays; nothing fails for it
    assert (cache.load("entry", 1.0) is None) == (spoil is a_folder)


@pytest.mark.parametrize(
    ("shared", "expected"), [(None, "/workspace/outputs/.cache/encoded"), ("/workspace/cache", "/workspace/cache")]
)
def test_a_job_keeps_what_it_encoded_where_its_configuration_says(tmp_path, shared, expected):
    config = load_config(write_config(tmp_path, cache_path=shared))

    assert str(Job(config, NoEvents(), StopRequest()).encoded) == expected


def test_two_jobs_may_save_the_same_entry_at_once(tmp_path):
    caches = [TensorCache(tmp_path / "cache", origin="model") for _ in range(2)]
    content = {"x": torch.arange(100_000.0)}

    def save_and_load(cache):
        for _ in range(20):
            cache.save(content, "entry")
            yield cache.load("entry")

    with ThreadPoolExecutor(2) as pool:
        seen = [entry for entries in pool.map(lambda cache: list(save_and_load(cache)), caches) for entry in entries]

    assert all(torch.equal(entry["x"], content["x"]) for entry in seen)
    assert [path.name.startswith(".") for path in (tmp_path / "cache").iterdir()] == [False]


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path):
    (tmp_path / "cache").write_text("in its place")
    family = Camera()

    data = encoded(family, [example(tmp_path, "a.png")], tmp_path)

    assert len(data) == family.encoded == 1


def test_a_picture_the_vae_cannot_take_is_named(tmp_path):
    family = Camera()
    family.encode_image = lambda pixels: (pixels * torch.inf, pixels)

    with pytest.raises(NotFinite, match=r"the VAE turns a\.png into"):
        encoded(family, [example(tmp_path, "a.png")], tmp_path)


def test_a_dropped_caption_becomes_the_empty_one_and_sizes_stay():
    conditioning = {"text": torch.ones(2, 3), "sizes": torch.arange(4).view(2, 2)}

    dropped = replace_dropped(conditioning, {"text": torch.zeros(1, 3)}, torch.tensor([True, False]))

    assert dropped["text"].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert dropped["sizes"] is conditioning["sizes"]


def draw_four(family, folder, before_each=lambda: None):
    return draw_class_images(
        family, folder, prompt="a dog", empty={}, count=4, seed=10, resolution=64, before_each=before_each
    )


def test_class_images_have_fixed_seeds_and_are_drawn_once(tmp_path):
    family = Camera()

    examples = draw_four(family, tmp_path)

    assert draw_four(family, tmp_path) == examples
    assert family.drawn == [10, 11, 12, 13]
    assert {(one.bucket, one.prompt) for one in examples} == {(Bucket(64, 64), "a dog")}
    assert len({one.sha256 for one in examples}) == 4


def test_an_interrupted_drawing_goes_on_where_it_was(tmp_path):
    family = Camera()

    def stop_before_the_third():
        if len(family.drawn) == 2:
            raise StoppedOnRequest

    with pytest.raises(StoppedOnRequest):
        draw_four(family, tmp_path, stop_before_the_third)
    draw_four(family, tmp_path)

    assert family.drawn == [10, 11, 12, 13]


def test_no_room_for_a_class_image_names_it(tmp_path):
    family = Camera()
    (tmp_path / "staging.png").symlink_to("/dev/full")

    with pytest.raises(DiskFull, match=r"to write 0000\.png"):
        draw_four(family, tmp_path)
