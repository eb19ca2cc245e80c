"""A model folder that is incomplete, of an unknown kind or unsafe is refused with a sentence that names the file."""

from __future__ import annotations

import json
import shutil

import pytest

from lora_trainer.base_model import inspect_base_model
from lora_trainer.errors import UnusableBaseModel
from lora_trainer.families import FAMILIES
from tests.unit.trainer.base_models import PARTS, fill_model, one_tensor, pickled, write_index

SUPPORTED = "StableDiffusionPipeline, StableDiffusionXLPipeline, Flux2KleinPipeline, ZImagePipeline"


@pytest.fixture
def model(tmp_path):
    """A complete Stable Diffusion 1.x folder."""
    fill_model(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("pipeline", PARTS)
def test_a_complete_model_has_its_family(tmp_path, pipeline):
    fill_model(tmp_path, pipeline)

    assert inspect_base_model(tmp_path) == FAMILIES[pipeline]


@pytest.mark.parametrize(("pipeline", "part"), [(pipeline, part) for pipeline in PARTS for part in PARTS[pipeline]])
def test_every_missing_part_is_named(tmp_path, pipeline, part):
    fill_model(tmp_path, pipeline)
    shutil.rmtree(tmp_path / part)

    with pytest.raises(UnusableBaseModel, match=f"{part}/ is missing"):
        inspect_base_model(tmp_path)


def another_pipeline(model):
    (model / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')


def cut_off(model):
    path = model / "vae" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def with_an_empty_scheduler(model):
    (model / "scheduler" / "config.json").unlink()


def html_instead_of_weights(model):
    (model / "text_encoder" / "model.safetensors").write_text("<html>404</html>")


def without_weights(model):
    (model / "vae" / "model.safetensors").unlink()


def no_json(model):
    (model / "model_index.json").write_text("{")


def without_a_shard(model):
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (model / "unet" / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (model / "unet" / "model.safetensors").unlink()
    (model / "unet" / shards["b"]).write_bytes(one_tensor())


def with_code(model):
    (model / "unet" / "my_unet.py").write_text("import os")


def with_an_auto_map(model):
    (model / "text_encoder" / "config.json").write_text('{"auto_map": {"AutoModel": "mine.Encoder"}}')


def with_a_library_of_its_own(model):
    write_index(model, "StableDiffusionPipeline", unet=["my_unet", "UNet2DConditionModel"])


def with_another_text_encoder(model):
    write_index(model, "StableDiffusionPipeline", text_encoder=["transformers", "T5EncoderModel"])


MODELS = [
    (pickled, "unet/diffusion_pytorch_model.bin is a pickle"),
    (another_pipeline, f"base model is a 'FluxPipeline'; this trainer knows {SUPPORTED}"),
    (cut_off, "vae/model.safetensors has"),
    (with_an_empty_scheduler, "scheduler/ is empty"),
    (html_instead_of_weights, "text_encoder/model.safetensors is not a safetensors file"),
    (without_weights, "vae/ holds no safetensors weights"),
    (no_json, "model_index.json is not valid JSON"),
    (shutil.rmtree, "no readable model_index.json"),
    (without_a_shard, "unet/model-00001-of-00002.safetensors is missing"),
    (
        with_code,
        "unet/my_unet.py is code, which is never run; this trainer knows classes of diffusers",
    ),
    (with_an_auto_map, "text_encoder/config.json asks for code of the model's own (auto_map)"),
    (with_a_library_of_its_own, "unet is of 'my_unet'; this trainer knows classes of diffusers and transformers only"),
    (with_another_text_encoder, "text_encoder is a 'T5EncoderModel'; this trainer knows CLIPTextModel there"),
]


@pytest.mark.parametrize(("spoil", "sentence"), MODELS, ids=lambda value: getattr(value, "__name__", None))
def test_an_unusable_base_model_is_refused_by_name(model, spoil, sentence):
    spoil(model)

    with pytest.raises(UnusableBaseModel) as caught:
        inspect_base_model(model)

    assert sentence in str(caught.value)
    assert caught.value.exit_code == 12
