"""The score of a sample, with a CLIP of random weights; against transformers' own way from a picture to a vector."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from build_model import build_clip_tokenizer, clip_config, with_fixed_weights
from lora_trainer.clip_score import FOLDER, ClipScore, find_clip
from lora_trainer.evaluate import Sampler
from lora_trainer.events import EventLog, NoEvents

pytestmark = pytest.mark.trainer

WIDTH, SIDE = 32, 32
PROMPTS = ("a red lorry", "گربه‌ای روی مبل")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of models that holds nothing but a CLIP."""
    models = tmp_path_factory.mktemp("models")
    tokenizer = build_clip_tokenizer()
    vision = {"hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = CLIPConfig(
        text_config=clip_config(tokenizer, WIDTH).to_dict(),
        vision_config=vision | {"image_size": SIDE, "patch_size": 8, "projection_dim": WIDTH},
        projection_dim=WIDTH,
    )
    with_fixed_weights(CLIPModel(config)).save_pretrained(models / FOLDER)
    tokenizer.save_pretrained(models / FOLDER)
    return models


def picture(seed, side=64):
    return torch.rand((side, side, 3), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def reference(models, image, prompt):
    model = CLIPModel.from_pretrained(models / FOLDER)
    processor = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    pixels = processor(Image.fromarray((image.numpy() * 255).round().astype("uint8")), return_tensors="pt")
    tokens = build_clip_tokenizer()([prompt], return_tensors="pt")
    return float(model(**tokens, **pixels).logits_per_image / model.logit_scale.exp())


@pytest.mark.parametrize("prompt", PROMPTS)
def test_it_is_the_cosine_that_transformers_computes(models, prompt):
    score = ClipScore(models / FOLDER)

    found = [score(picture(seed), prompt) for seed in (1, 2)]

    assert found == pytest.approx([reference(models, picture(seed), prompt) for seed in (1, 2)], abs=1e-4)
    assert found[0] != found[1]
    assert all(-1 <= value <= 1 for value in found)


def test_a_prompt_longer_than_clip_reads_is_cut(models):
    assert -1 <= ClipScore(models / FOLDER)(picture(1), "lorry " * 500) <= 1


def test_without_a_clip_there_is_no_score(tmp_path):
    assert find_clip(tmp_path, NoEvents()) is None


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def other_words(folder):
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize("spoil", [no_weights, other_words])
def test_a_clip_that_cannot_be_used_is_a_warning_and_no_failure(models, tmp_path, spoil):
    (tmp_path / FOLDER).mkdir()
    for path in (models / FOLDER).iterdir():
        (tmp_path / FOLDER / path.name).write_bytes(path.read_bytes())
    spoil(tmp_path / FOLDER)

    assert find_clip(tmp_path, EventLog(tmp_path)) is None

    (event,) = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert event["type"] == "warning"
    assert f"samples get no CLIP score: {FOLDER} cannot be used" in event["message"]


def test_a_samples_event_has_its_score(tmp_path):
    family = SimpleNamespace(denoiser=None, sample=lambda *_, seed, **__: picture(seed))
    options = {"prompts": list(PROMPTS), "seed": 3, "resolution": 64, "every": None}
    sampler = Sampler(
        family,
        EventLog(tmp_path),
        tmp_path,
        conditioning={"text": torch.zeros(2, 1)},
        empty={},
        score=lambda shown, prompt: len(prompt) / 100 if torch.equal(shown, picture(3)) else -1,
        **options,
    )

    sampler.make_all(5)

    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event["clip_score"] for event in events] == [0.11, 0.15]
