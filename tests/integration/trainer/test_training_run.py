"""A real run: it learns, says what it does, and its files do in diffusers what the trained weights do."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from jsonschema import Draft202012Validator, FormatChecker
from safetensors import safe_open
from safetensors.torch import load_file

from lora_trainer.errors import UnusableBaseModel
from lora_trainer.families.sd15 import StableDiffusion
from orchestrator.adapters.filesystem.adapter_file import check_adapter_file
from tests.factories import sha256_of
from tests.integration.trainer.conftest import ALPHA, RANK, build_model
from tests.integration.trainer.twins import trained_pairs
from tests.unit.trainer.documents import schema


def test_the_builtin_model_has_the_same_bytes_in_every_build(base_model, tmp_path):
    build_model(tmp_path)

    assert contents(tmp_path) == contents(base_model)
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in tmp_path.rglob("*"))


def contents(folder):
    return {str(path.relative_to(folder)): sha256_of(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def test_a_checkpoint_has_the_adapter_that_the_run_would_end_with_then(straight_run):
    beside = straight_run.outputs / "checkpoints" / "step-000100" / "adapter.safetensors"
    check_adapter_file(beside, "kohya")

    ended_with, saved = load_file(straight_run.adapter), load_file(beside)
    assert saved.keys() == ended_with.keys()
    assert all(torch.equal(saved[name], ended_with[name]) for name in saved)
    with safe_open(beside, "pt") as file:
        assert file.metadata()["lorry.checkpoint_step"] == file.metadata()["ss_steps"] == "100"


def test_training_lowers_the_loss_on_fixed_noise(straight_run):
    (result,) = straight_run.events("result")

    assert result["eval_loss_after"] < 0.9 * result["eval_loss_before"]
    assert (result["steps"], result["train_count"], result["val_count"]) == (100, 8, 1)
    assert result["reload_error"] < 1e-3
    assert result["picture_change"] > 0.01


def test_every_event_is_valid_and_the_phases_come_in_order(straight_run):
    validator = Draft202012Validator(schema("event.v1.json"), format_checker=FormatChecker())

    for event in straight_run.events():
        validator.validate(event)

    phases = [event["phase"] for event in straight_run.events("phase")]
    assert phases == ["load", "preprocess", "train", "evaluate", "register"]
    progress = straight_run.events("progress")
    assert (progress[0]["step"], progress[0]["to_prepare"]) == (0, 9)
    trained = [event["step"] for event in progress if event["step"] > 0]
    assert (trained[0], trained[-1], progress[-1]["progress"]) == (1, 100, 100)
    assert [event["step"] for event in straight_run.events("metrics") if "val_loss" in event] == [50, 100]


def test_what_the_events_name_lies_in_the_outputs(straight_run):
    (result,) = straight_run.events("result")

    for adapter in result["adapters"]:
        path = straight_run.outputs / adapter["path"]
        assert (sha256_of(path.read_bytes()), path.stat().st_size) == (adapter["sha256"], adapter["size_bytes"])
    for event in [*straight_run.events("sample"), *straight_run.events("checkpoint")]:
        assert (straight_run.outputs / event["path"]).exists()
    assert [adapter["format"] for adapter in result["adapters"]] == ["kohya", "diffusers"]


def test_a_card_goes_with_the_adapter(straight_run):
    card = (straight_run.outputs / "README.md").read_text(encoding="utf-8")

    assert straight_run.adapter.name in card
    assert "| steps_taken | 100 |" in card
    for path in re.findall(r"!\[.*\]\((.*)\)", card):
        assert (straight_run.outputs / path).is_file()


# Every attention of the twin's UNet: two down blocks and two up blocks of one and two transformers, and the middle.
ATTENTIONS = (
    "down_blocks_1_attentions_0",
    "down_blocks_2_attentions_0",
    "mid_block_attentions_0",
    "up_blocks_0_attentions_0",
    "up_blocks_0_attentions_1",
    "up_blocks_1_attentions_0",
    "up_blocks_1_attentions_1",
)


def test_the_main_file_has_the_keys_that_readers_of_its_format_expect(straight_run):
    layers = {
        f"lora_unet_{attention}_transformer_blocks_0_{kind}_{layer}"
        for attention in ATTENTIONS
        for kind in ("attn1", "attn2")
        for layer in ("to_q", "to_k", "to_v", "to_out_0")
    }

    tensors = load_file(straight_run.adapter)

    endings = ("lora_down.weight", "lora_up.weight", "alpha")
    assert set(tensors) == {f"{layer}.{ending}" for layer in layers for ending in endings}
    assert {float(tensors[f"{layer}.alpha"]) for layer in layers} == {ALPHA}
    assert {len(tensors[f"{layer}.lora_down.weight"]) for layer in layers} == {RANK}


def test_a_second_job_takes_what_a_first_one_encoded_from_their_shared_cache(make_run, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()

    first, kept = train_with_cache(make_run, tmp_path / "first", cache)
    second, kept_after = train_with_cache(make_run, tmp_path / "second", cache)

    assert len(kept) > 1
    assert kept_after == kept
    assert all(torch.equal(second[name], tensor) for name, tensor in first.items())


def train_with_cache(make_run, folder, cache):
    """The adapter, and when each entry of the cache was written."""
    folder.mkdir()
    run = make_run(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"cache_path": str(cache)}), encoding="utf-8")
    assert run.finish() == 0, run.log()
    return load_file(run.adapter), {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}


def test_files_are_readable_by_others(straight_run):
    files = [path for path in straight_run.outputs.rglob("*") if path.is_file()]

    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}


def test_the_metadata_tells_the_origin_and_no_path(straight_run, base_model):
    for path in (straight_run.adapter, straight_run.twin):
        with safe_open(path, framework="np") as file:
            metadata = file.metadata()

        assert metadata["ss_network_dim"] == str(RANK)
        assert float(metadata["ss_network_alpha"]) == ALPHA
        assert metadata["ss_base_model_version"] == "sd_v1"
        assert metadata["modelspec.trigger_phrase"] == "lorry photo"
        assert metadata["lorry.job_id"] == "11111111-1111-4111-8111-111111111111"
        text = " ".join(metadata.values())
        assert str(base_model) not in text
        assert not re.search(r"(^|\s)/\w", text)


@pytest.mark.parametrize("file_format", ["kohya", "diffusers"])
def test_diffusers_loads_the_file_and_draws_another_picture(straight_run, base_model, file_format):
    path = straight_run.adapter_in(file_format)
    pipeline = StableDiffusionPipeline.from_pretrained(base_model, local_files_only=True, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    before = picture(pipeline)

    pipeline.load_lora_weights(path.parent, weight_name=path.name, local_files_only=True)

    assert np.abs(picture(pipeline) - before).mean() > 0.01


def picture(pipeline):
    source = torch.Generator().manual_seed(0)
    options = {"height": 256, "width": 256, "num_inference_steps": 4, "output_type": "np"}
    return pipeline("lorry photo", generator=source, **options).images[0]


@pytest.mark.parametrize("file_format", ["kohya", "diffusers"])
def test_a_loaded_file_has_the_whole_effect_of_the_trained_weights(straight_run, base_model, file_format):
    """A reader that loses alpha would show 0.45 of it here. The expectation is merged by hand from a checkpoint."""
    path = straight_run.adapter_in(file_format)
    base = predict(load_unet(base_model))
    expected = (
        predict(merge(load_unet(base_model), trained_pairs(straight_run.outputs / "checkpoints" / "step-000100")))
        - base
    )
    pipeline = StableDiffusionPipeline.from_pretrained(base_model, local_files_only=True, use_safetensors=True)
    pipeline.load_lora_weights(path.parent, weight_name=path.name, local_files_only=True)

    effect = predict(pipeline.unet) - base

    assert float(effect.norm() / expected.norm()) == pytest.approx(1.0, abs=1e-3)
    assert float((effect - expected).norm() / expected.norm()) < 1e-3


def load_unet(base_model):
    return UNet2DConditionModel.from_pretrained(
        base_model, subfolder="unet", local_files_only=True, use_safetensors=True
    )


@torch.no_grad()
def merge(unet, pairs):
    """W + alpha / rank * up @ down, in place."""
    assert len(pairs) > 8
    for name, (down, up) in pairs.items():
        assert down.shape[0] == RANK
        unet.get_submodule(name.removeprefix("unet.")).weight += ALPHA / RANK * (up @ down)
    return unet


@torch.no_grad()
def predict(unet):
    source = torch.Generator().manual_seed(3)
    noisy = torch.randn((2, 4, 32, 32), generator=source)
    text = torch.randn((2, 77, unet.config.cross_attention_dim), generator=source)
    return unet(noisy, torch.tensor([200, 700]), encoder_hidden_states=text).sample


def test_a_scheduler_without_its_file_is_named(base_model, tmp_path):
    model = shutil.copytree(base_model, tmp_path / "model")
    (model / "scheduler" / "scheduler_config.json").rename(model / "scheduler" / "config.json")

    with pytest.raises(UnusableBaseModel, match=r"scheduler/scheduler_config\.json cannot be read"):
        StableDiffusion.load(model, device=torch.device("cpu"), dtype=torch.float32)


def test_the_fresh_copy_has_the_base_weights_as_trained_on(base_model):
    """Loaded in float32 beside a bf16 run, the copy would differ from the trained base and blame the adapter file."""
    family = StableDiffusion.load(base_model, device=torch.device("cpu"), dtype=torch.bfloat16)

    trained_on = family.denoiser.float().state_dict()

    fresh = family.load_again().denoiser.float().state_dict()
    assert all(torch.equal(fresh[name], weights) for name, weights in trained_on.items())
