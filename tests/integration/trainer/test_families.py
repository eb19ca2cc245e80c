"""Each family from a picture to adapter files that its users' programs read, on the built-in twins."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    Flux2Transformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)
from safetensors.torch import load_file, save_file

from build_model import build
from lora_trainer.base_model import inspect_base_model
from lora_trainer.config import load_config
from lora_trainer.errors import UnusableBaseModel
from lora_trainer.events import EventLog
from lora_trainer.families.flux2_klein import Flux2Klein
from lora_trainer.families.sd15 import StableDiffusion
from lora_trainer.families.sdxl import StableDiffusionXL, original_name
from lora_trainer.families.z_image import ZImage
from lora_trainer.phases import train_adapter
from lora_trainer.preflight import inspect_dataset
from lora_trainer.stop import StopRequest
from tests.factories import sha256_of
from tests.integration.trainer.conftest import Run
from tests.integration.trainer.twins import (
    ALL,
    FLUX2,
    SD15,
    SDXL,
    Z_IMAGE,
    Twin,
    merged,
    pipeline_of,
    prediction,
    trained_pairs,
)
from tests.unit.trainer.documents import PHOTOGRAPHS, write_config

RANK, ALPHA, STEPS = 16, 32, 8
NEW = (SDXL, FLUX2, Z_IMAGE)  # Stable Diffusion 1.x has tests of its own
FORMATS = ("kohya", "diffusers")


@pytest.fixture(scope="module", params=NEW)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def run(name, twins, tmp_path_factory):
    """A short run in this process: fewer steps than a job may ask for, otherwise the whole way."""
    run = Run(tmp_path_factory.mktemp("run"))
    run.outputs.mkdir()
    params = {"steps": 100, "resolution": 256, "learning_rate": 3e-3, "lora_rank": RANK, "lora_alpha": ALPHA}
    paths = {"dataset_path": str(PHOTOGRAPHS), "base_model_path": str(twins[name]), "output_path": str(run.outputs)}
    config = load_config(write_config(run.folder, base_model=name, training_params=params, **paths))
    config = replace(config, training_params=replace(config.training_params, steps=STEPS))
    items = inspect_dataset(PHOTOGRAPHS)[:2]
    train_adapter(config, items, inspect_base_model(twins[name]), EventLog(run.outputs), StopRequest())
    return run


def test_a_run_learns_draws_and_ends_with_files_that_were_proved(run):
    (result,) = run.events("result")

    assert result["eval_loss_after"] < result["eval_loss_before"]
    assert result["reload_error"] < 1e-3
    assert result["picture_change"] > 0
    assert [adapter["format"] for adapter in result["adapters"]] == list(FORMATS)
    assert all((run.outputs / adapter["path"]).is_file() for adapter in result["adapters"])
    before, after = run.events("sample")
    assert (before["step"], after["step"]) == (0, result["steps"])
    pictures = [(run.outputs / sample["path"]).read_bytes() for sample in (before, after)]
    assert pictures[0] != pictures[1]
    assert all(len(picture) > 10_000 for picture in pictures)


@pytest.fixture(scope="module")
def effect(run, name, twins):
    """(the base model's prediction, what the trained weights add to it), merged by hand from a checkpoint."""
    twin = Twin(name, pipeline_of(twins[name]))
    base = prediction(twin)
    return base, prediction(merged(twin, trained_pairs(last_checkpoint(run)), ALPHA / RANK)) - base


def last_checkpoint(run):
    return run.outputs / "checkpoints" / f"step-{STEPS:06d}"


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_loaded_file_has_the_whole_effect_of_the_trained_weights(run, name, twins, effect, file_format):
    """A reader that loses alpha would show 0.45 of it here."""
    path = run.adapter_in(file_format)
    base, expected = effect
    loaded = Twin(name, pipeline_of(twins[name]))
    loaded.pipeline.load_lora_weights(path.parent, weight_name=path.name, local_files_only=True)

    found = prediction(loaded) - base

    assert float(found.norm() / expected.norm()) == pytest.approx(1.0, abs=1e-3)
    assert float((found - expected).norm() / expected.norm()) < 1e-3


SDXL_BLOCKS = (
    "input_blocks_3_1",
    "input_blocks_5_1",
    "middle_block_1",
    "output_blocks_0_1",
    "output_blocks_1_1",
    "output_blocks_2_1",
    "output_blocks_3_1",
)
KOHYA_LAYERS = {
    SDXL: {
        f"lora_unet_{block}_transformer_blocks_0_{attention}_{layer}"
        for block in SDXL_BLOCKS
        for attention in ("attn1", "attn2")
        for layer in ("to_q", "to_k", "to_v", "to_out_0")
    },
    FLUX2: {
        "lora_unet_double_blocks_0_img_attn_qkv",
        "lora_unet_double_blocks_0_img_attn_proj",
        "lora_unet_double_blocks_0_txt_attn_qkv",
        "lora_unet_double_blocks_0_txt_attn_proj",
        "lora_unet_single_blocks_0_linear1",
        "lora_unet_single_blocks_0_linear2",
        "lora_unet_single_blocks_1_linear1",
        "lora_unet_single_blocks_1_linear2",
    },
    Z_IMAGE: {
        f"diffusion_model.{block}.attention.{layer}"
        for block in ("layers.0", "layers.1", "noise_refiner.0", "context_refiner.0")
        for layer in ("to_q", "to_k", "to_v", "to_out.0")
    },
}


def test_the_main_file_has_the_keys_that_readers_of_its_format_expect(run, name):
    expected = {
        f"{layer}.{ending}"
        for layer in KOHYA_LAYERS[name]
        for ending in ("lora_down.weight", "lora_up.weight", "alpha")
    }

    tensors = load_file(run.adapter)

    assert set(tensors) == expected
    for layer in KOHYA_LAYERS[name]:
        rank = len(tensors[f"{layer}.lora_down.weight"])
        assert rank == (3 * RANK if layer.endswith("qkv") else RANK)
        assert float(tensors[f"{layer}.alpha"]) / rank == ALPHA / RANK


@pytest.mark.parametrize("name", [FLUX2], indirect=True)
def test_the_fused_layers_of_flux_change_as_the_three_they_stand_for(run):
    """What a reader without any special case does with them: alpha / rank * up @ down."""
    tensors, pairs = load_file(run.adapter), trained_pairs(last_checkpoint(run))
    for stream, parts in (("img", ("to_q", "to_k", "to_v")), ("txt", ("add_q_proj", "add_k_proj", "add_v_proj"))):
        key = f"lora_unet_double_blocks_0_{stream}_attn_qkv"
        down, up, alpha = (tensors[f"{key}.{ending}"] for ending in ("lora_down.weight", "lora_up.weight", "alpha"))
        apart = [pairs[f"transformer.transformer_blocks.0.attn.{part}"] for part in parts]

        change = alpha / len(down) * up @ down

        torch.testing.assert_close(change, torch.cat([ALPHA / RANK * b @ a for a, b in apart]))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("down_blocks.1.attentions.0.proj_in", "input_blocks.4.1.proj_in"),
        ("down_blocks.2.attentions.1.proj_in", "input_blocks.8.1.proj_in"),
        ("mid_block.attentions.0.transformer_blocks.9.attn2.to_k", "middle_block.1.transformer_blocks.9.attn2.to_k"),
        ("up_blocks.0.attentions.2.proj_in", "output_blocks.2.1.proj_in"),
        ("up_blocks.1.attentions.2.proj_in", "output_blocks.5.1.proj_in"),
    ],
)
def test_the_layers_of_full_sdxl_have_their_original_names(module, expected):
    assert original_name(module, layers_per_block=2) == expected


@pytest.mark.parametrize("name", ALL, indirect=True)
@torch.no_grad()
def test_a_sample_is_what_diffusers_own_pipeline_draws(name, twins):
    family = load_family(name, twins)
    prompt, empty = family.encode_prompts(["a red lorry"]), family.encode_prompts([""])

    ours = family.sample(prompt, empty, seed=5, resolution=128, steps=4)

    pipeline = pipeline_of(twins[name])
    options = {} if name == FLUX2 else {"negative_prompt": ""}
    if name in (SD15, SDXL):
        pipeline.scheduler = dpm_solver(pipeline.scheduler)
    theirs = pipeline(
        prompt="a red lorry",
        height=128,
        width=128,
        num_inference_steps=4,
        guidance_scale={SD15: 7.5, SDXL: 5.0, FLUX2: 4.0, Z_IMAGE: 5.0}[name],
        generator=torch.Generator().manual_seed(5),
        output_type="np",
        **options,
    ).images[0]
    torch.testing.assert_close(ours, torch.from_numpy(theirs), rtol=0, atol=1e-3)


def load_family(name, twins):
    families = {SDXL: StableDiffusionXL, FLUX2: Flux2Klein, Z_IMAGE: ZImage, SD15: StableDiffusion}
    return families[name].load(twins[name], device=torch.device("cpu"), dtype=torch.float32)


def dpm_solver(scheduler):
    keys = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "prediction_type")
    return DPMSolverMultistepScheduler(**{key: scheduler.config[key] for key in keys})


@pytest.mark.parametrize("name", [FLUX2], indirect=True)
def test_a_distilled_model_is_sampled_without_guidance(name, twins, tmp_path):
    model = shutil.copytree(twins[name], tmp_path / "model")
    index = model / "model_index.json"
    index.write_text(index.read_text().replace('"is_distilled": false', '"is_distilled": true'))

    assert load_family(name, {name: model}).guidance_scale == 1.0


@pytest.mark.parametrize("name", ALL)
def test_a_twin_has_the_same_bytes_in_every_build(name, twins, tmp_path):
    build(name, tmp_path)

    assert contents(tmp_path) == contents(twins[name])
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 10_000_000


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256_of(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def without_a_tensor(model):
    path = model / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["proj_out.weight"]
    save_file(tensors, path, metadata={"format": "pt"})


def without_a_tokenizer(model):
    for path in (model / "tokenizer").iterdir():
        path.unlink()


def without_a_chat_template(model):
    path = model / "tokenizer" / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["chat_template"]
    path.write_text(json.dumps(config))


def with_another_scheduler(model):
    (model / "scheduler" / "scheduler_config.json").write_text('{"_class_name": "DDPMScheduler"}')


FAULTS = [
    (without_a_tensor, r"transformer/ lacks weights: proj_out\.weight"),
    (without_a_tokenizer, "tokenizer"),
    (without_a_chat_template, "tokenizer has no chat template"),
    (with_another_scheduler, "scheduler is a 'DDPMScheduler'"),
]


@pytest.mark.parametrize(("spoil", "sentence"), FAULTS, ids=lambda value: getattr(value, "__name__", None))
def test_a_fault_that_only_loading_shows_is_named(twins, tmp_path, spoil, sentence):
    model = shutil.copytree(twins[FLUX2], tmp_path / "model")
    spoil(model)

    with pytest.raises(UnusableBaseModel, match=sentence):
        load_family(FLUX2, {FLUX2: model})


OLD_VAE_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def with_old_vae_names(key):
    for new, old in OLD_VAE_NAMES.items():
        key = key.replace(f"mid_block.attentions.0.{new}.", f"mid_block.attentions.0.{old}.")
    return key


@pytest.mark.parametrize(
    ("name", "weights", "rename"),
    [
        (SD15, "vae/diffusion_pytorch_model.safetensors", with_old_vae_names),
        (SD15, "text_encoder/model.safetensors", lambda key: f"text_model.{key}"),
        (Z_IMAGE, "text_encoder/model.safetensors", lambda key: f"model.{key}"),
    ],
    ids=["VAE before diffusers 0.18", "CLIP of transformers 4", "language model with a head"],
)
def test_weights_under_older_names_are_found_whole(name, weights, rename, twins, tmp_path):
    model = shutil.copytree(twins[name], tmp_path / "model")
    tensors = load_file(model / weights)
    renamed = {rename(key): tensor for key, tensor in tensors.items()}
    assert renamed.keys() != tensors.keys()
    save_file(renamed, model / weights, metadata={"format": "pt"})

    found, original = load_family(name, {name: model}), load_family(name, twins)

    pairs = zip(encoder_weights(found), encoder_weights(original), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def encoder_weights(family):
    text_encoder = family._text_encoder if hasattr(family, "_text_encoder") else family._text_encoders[0].model
    return [*family._vae.parameters(), *text_encoder.parameters()]


FULL_SDXL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
}
FULL_KLEIN = {
    "num_layers": 5,
    "num_single_layers": 20,
    "num_attention_heads": 24,
    "joint_attention_dim": 7680,
    "guidance_embeds": False,
}


@pytest.mark.parametrize(
    ("family", "build_denoiser", "layers", "keys"),
    [
        (StableDiffusionXL, lambda: UNet2DConditionModel(**FULL_SDXL), 560, 560),
        (Flux2Klein, lambda: Flux2Transformer2DModel(**FULL_KLEIN), 5 * 8 + 20 * 2, 5 * 4 + 20 * 2),
        (ZImage, ZImageTransformer2DModel, 34 * 4, 34 * 4),
    ],
)
def test_the_full_models_have_their_layers_adapted_and_named(family, build_denoiser, layers, keys):
    with torch.device("meta"):
        denoiser = build_denoiser()
    linear = [path for path, module in denoiser.named_modules() if isinstance(module, torch.nn.Linear)]
    unloaded = object.__new__(family)  # names need no weights
    unloaded.denoiser = denoiser

    adapted = [path for path in linear if re.fullmatch(family.target_modules, path)]

    assert len(adapted) == layers
    assert len({unloaded.kohya_key(path) for path in adapted}) == keys
