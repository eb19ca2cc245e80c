"""Each family's prompts, latents, loss and adapter gradients against diffusers and peft used directly, in float32."""

from __future__ import annotations

import importlib

import pytest
import torch
from peft import LoraConfig
from torch.nn.functional import mse_loss

from lora_trainer import adapter
from lora_trainer.base_model import inspect_base_model
from lora_trainer.families.sdxl import time_ids
from lora_trainer.objective import add_noise, generator, squared_error, target
from tests.integration.trainer.twins import ALL, FLUX2, ORIGINAL, TARGET, TIME_IDS, Z_IMAGE, Twin, pipeline_of

RANK, ALPHA = 16, 32
PROMPTS = ["a red lorry, parked", "گربه‌ای روی مبل"]
SHARES = [0.1, 0.7]  # of the noise schedule
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module", params=ALL)
def twin(request, twins):
    return Twin(request.param, pipeline_of(twins[request.param]))


@pytest.fixture
def family(twin, twins):
    return load_family(twins[twin.name])


def load_family(folder, dtype=torch.float32):
    module = importlib.import_module(inspect_base_model(folder).module)
    return module.FAMILY.load(folder, device=torch.device("cpu"), dtype=dtype)


def pixels(count=2):
    width, height = TARGET
    return torch.rand((count, 3, height, width), generator=generator(0, "pixels")) * 2 - 1


def conditioning_of(family):
    described = family.describe_image(ORIGINAL, TARGET)
    twice = {name: torch.cat([tensor] * len(PROMPTS)) for name, tensor in described.items()}
    return family.encode_prompts(PROMPTS) | twice


def test_prompts_are_encoded_as_the_pipeline_does(twin, family):
    text, pooled = twin.encode(PROMPTS)

    ours = family.encode_prompts(PROMPTS)

    if twin.name == Z_IMAGE:
        assert ours["length"].tolist() == [len(words) for words in text]
        for row, words in enumerate(text):
            torch.testing.assert_close(ours["text"][row, : len(words)], words, **CLOSE)
    else:
        torch.testing.assert_close(ours["text"], text, **CLOSE)
    if pooled is not None:
        torch.testing.assert_close(ours["pooled"], pooled, **CLOSE)
    assert all(len(tensor) == len(PROMPTS) for tensor in ours.values())


@torch.no_grad()
def test_pictures_are_encoded_as_the_pipeline_does(twin, family):
    mean, std = family.encode_image(pixels()[0])

    torch.testing.assert_close(mean, twin.latents_of(pixels()[:1])[0], **CLOSE)
    assert std.shape == mean.shape
    assert mean.shape[1:] == ((8, 6) if twin.name == FLUX2 else (16, 12))


def test_loss_and_gradients_are_those_of_diffusers_and_peft(twin, family):
    latents = twin.latents_of(pixels()).detach()
    noise = torch.randn(latents.shape, generator=generator(0, "noise"))
    parameters = with_some_weights(adapter.attach(family, rank=RANK, alpha=ALPHA, seed=1)).weights.masters

    loss = loss_of(family, latents, noise)
    loss.backward()

    reference_loss, gradients = reference(twin, latents, noise, parameters)
    torch.testing.assert_close(loss.detach(), reference_loss, **CLOSE)
    assert set(gradients) == set(parameters)
    for name, gradient in gradients.items():
        assert gradient.abs().max() > 0, name
        torch.testing.assert_close(
            parameters[name].grad, gradient, **CLOSE, msg=lambda text, name=name: f"{name} {text}"
        )


@torch.no_grad()
def with_some_weights(attached):
    """`up` begins at zero, where `down` would have no gradient."""
    for pair in attached.pairs:
        pair.up.copy_(torch.randn(pair.up.shape, generator=generator(1, pair.module)) * 0.05)
    attached.weights.refresh()
    return attached


def loss_of(family, latents, noise):
    timesteps = torch.tensor([int(share * len(family.schedule)) for share in SHARES])
    noisy = add_noise(family.schedule, latents, noise, timesteps)
    prediction = family.predict(family.denoiser, noisy, timesteps, conditioning_of(family))
    return squared_error(prediction, target(family.schedule, latents, noise, timesteps)).mean()


def reference(twin, latents, noise, parameters):
    """Loss and gradients by the same names, from an adapter of peft's own on the pipeline's denoiser."""
    denoiser = twin.denoiser
    modules = sorted({name.rpartition(".")[0] for name in parameters})
    denoiser.add_adapter(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=modules))
    layers = {name: denoiser.get_submodule(name) for name in modules}
    for name, layer in layers.items():
        layer.lora_A["default"].weight.data.copy_(parameters[f"{name}.down"])
        layer.lora_B["default"].weight.data.copy_(parameters[f"{name}.up"])
    noisy, timesteps, wanted = twin.noised(latents, noise, SHARES)
    loss = mse_loss(twin.predict(denoiser, noisy, timesteps, twin.encode(PROMPTS)), wanted)
    loss.backward()
    down = {f"{name}.down": layer.lora_A["default"].weight.grad for name, layer in layers.items()}
    up = {f"{name}.up": layer.lora_B["default"].weight.grad for name, layer in layers.items()}
    denoiser.delete_adapters("default")
    return loss.detach(), down | up


def test_the_crop_is_told_in_pixels_of_the_resized_picture():
    assert list(time_ids(ORIGINAL, TARGET)) == TIME_IDS
    assert time_ids((256, 256), (256, 256)) == (256, 256, 0, 0, 256, 256)
    assert time_ids((300, 900), (512, 512)) == (900, 300, 512, 0, 512, 512)


@torch.no_grad()
def test_half_precision_stays_finite_and_near(twin, family, twins):
    half = load_family(twins[twin.name], torch.bfloat16)
    latents = twin.latents_of(pixels())
    noise = torch.randn(latents.shape, generator=generator(0, "noise"))

    assert float(loss_of(half, latents, noise)) == pytest.approx(float(loss_of(family, latents, noise)), rel=0.05)
