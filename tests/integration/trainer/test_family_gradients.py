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
from lora_trainer.weights import gradient_of
from tests.integration.trainer.twins import (
    ALL,
    FLUX2,
    ORIGINAL,
    SD15,
    SDXL,
    TARGET,
    TIME_IDS,
    Z_IMAGE,
    Twin,
    pipeline_of,
)

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


def load_family(folder, dtype=torch.float32, **options):
    module = importlib.import_module(inspect_base_model(folder).module)
    return module.FAMILY.load(folder, device=torch.device("cpu"), dtype=dtype, **options)


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


# SDXL reads its first text encoder before that one's last layer, so nothing can be learned there.
UNREAD = {SDXL: "text_encoder.text_model.encoder.layers.1."}


@pytest.mark.parametrize(
    ("name", "adapts_text"),
    [*((name, False) for name in ALL), (SD15, True), (SDXL, True)],
    ids=[*ALL, f"{SD15} with text encoder", f"{SDXL} with text encoders"],
)
def test_loss_and_gradients_are_those_of_diffusers_and_peft(twins, name, adapts_text):
    twin, family = Twin(name, pipeline_of(twins[name])), load_family(twins[name], adapts_text=adapts_text)
    latents = twin.latents_of(pixels()).detach()
    noise = torch.randn(latents.shape, generator=generator(0, "noise"))
    parameters = with_some_weights(adapter.attach(family, rank=RANK, alpha=ALPHA, seed=1)).weights.masters

    loss = loss_of(family, latents, noise)
    loss.backward()

    reference_loss, gradients = reference(twin, latents, noise, parameters)
    torch.testing.assert_close(loss.detach(), reference_loss, **CLOSE)
    assert set(gradients) == set(parameters)
    assert any(layer.startswith("text_encoder") for layer in gradients) is adapts_text
    for layer, gradient in gradients.items():
        assert (float(gradient.abs().max()) > 0) is not layer.startswith(UNREAD.get(name, "nothing")), layer
        torch.testing.assert_close(
            parameters[layer].grad, gradient, **CLOSE, msg=lambda text, layer=layer: f"{layer} {text}"
        )


@pytest.mark.parametrize("name", [SD15, SDXL])
def test_gradients_are_the_same_where_activations_are_recomputed(twins, name):
    latents, noise = torch.randn((2, 2, 4, 16, 12), generator=generator(0, "noise"))
    rows = []
    for is_checkpointing in (False, True):
        family = load_family(twins[name], adapts_text=True)
        trained = with_some_weights(adapter.attach(family, rank=RANK, alpha=ALPHA, seed=1))
        if is_checkpointing:
            family.enable_gradient_checkpointing()
        for network in family.networks:
            network.model.train()
        loss_of(family, latents, noise).backward()
        rows.append(gradient_of(trained.weights.row).clone())

    torch.testing.assert_close(*rows, **CLOSE)


@torch.no_grad()
def with_some_weights(attached):
    """`up` begins at zero, where `down` would have no gradient."""
    for pair in attached.pairs:
        pair.up.copy_(torch.randn(pair.up.shape, generator=generator(1, pair.name)) * 0.05)
    attached.weights.refresh()
    return attached


def loss_of(family, latents, noise):
    timesteps = torch.tensor([int(share * len(family.schedule)) for share in SHARES])
    noisy = add_noise(family.schedule, latents, noise, timesteps)
    prediction = family.predict(noisy, timesteps, conditioning_of(family))
    return squared_error(prediction, target(family.schedule, latents, noise, timesteps)).mean()


def reference(twin, latents, noise, parameters):
    """Loss and gradients by the same names, from adapters of peft's own on the pipeline's networks."""
    names = sorted({name.rpartition(".")[0] for name in parameters})
    places = {name: twin.place_of(name) for name in names}
    for network in {network for network, _ in places.values()}:
        paths = [path for owner, path in places.values() if owner is network]
        network.add_adapter(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=paths))
    layers = {name: network.get_submodule(path) for name, (network, path) in places.items()}
    for name, layer in layers.items():
        layer.lora_A["default"].weight.data.copy_(parameters[f"{name}.down"])
        layer.lora_B["default"].weight.data.copy_(parameters[f"{name}.up"])
    noisy, timesteps, wanted = twin.noised(latents, noise, SHARES)
    loss = mse_loss(twin.predict(twin.denoiser, noisy, timesteps, twin.encode(PROMPTS)), wanted)
    loss.backward()
    down = {f"{name}.down": gradient(layer.lora_A["default"].weight) for name, layer in layers.items()}
    up = {f"{name}.up": gradient(layer.lora_B["default"].weight) for name, layer in layers.items()}
    return loss.detach(), down | up


def gradient(weight):
    return torch.zeros_like(weight) if weight.grad is None else weight.grad


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
