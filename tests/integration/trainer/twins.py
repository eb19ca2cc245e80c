"""The built-in twins seen through diffusers alone: prompts, one training prediction, adapter files.

Written as diffusers' own training scripts compute it, without a line of the trainer's families.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, DiffusionPipeline, FlowMatchEulerDiscreteScheduler, Flux2KleinPipeline
from safetensors.torch import load_file
from torch import Tensor

from build_model import MODELS
from lora_trainer.objective import generator

ALL = tuple(MODELS)
SD15, SDXL, FLUX2, Z_IMAGE = "lorry/tiny-sd15", "lorry/tiny-sdxl", "lorry/tiny-flux2-klein", "lorry/tiny-z-image"
ORIGINAL, TARGET = (1000, 500), (96, 128)  # width, height of a picture before and after its crop
TIME_IDS = [500.0, 1000.0, 0.0, 80.0, 128.0, 96.0]  # scaled by 0.256 it is 256 x 128: 80 pixels are cut at the left


def pipeline_of(folder: Path) -> Any:
    pipeline = DiffusionPipeline.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@dataclass(frozen=True)
class Twin:
    """One model by name, its conditioning as diffusers' pipeline makes it."""

    name: str
    pipeline: Any

    @property
    def denoiser(self) -> Any:
        return self.pipeline.unet if hasattr(self.pipeline, "unet") else self.pipeline.transformer

    def place_of(self, layer: str) -> tuple[Any, str]:
        """(network, path in it) of a layer by its key in a diffusers adapter file."""
        part, _, path = layer.partition(".")
        network = getattr(self.pipeline, part)
        # Since transformers 5 one of CLIP's two classes is what it once held as `text_model`; the keys stayed.
        return network, path if hasattr(network, path.partition(".")[0]) else path.partition(".")[2]

    def encode(self, prompts: list[str]) -> tuple[Any, ...]:
        """(text, pooled text or None)."""
        if self.name == SD15:
            return self.pipeline.encode_prompt(prompts, "cpu", 1, do_classifier_free_guidance=False)[0], None
        if self.name == SDXL:
            text, _, pooled, _ = self.pipeline.encode_prompt(prompts, do_classifier_free_guidance=False)
            return text, pooled
        if self.name == FLUX2:
            return self.pipeline.encode_prompt(prompts)[0], None
        return self.pipeline.encode_prompt(list(prompts), do_classifier_free_guidance=False)[0], None

    def latents_of(self, pixels: Tensor) -> Tensor:
        """The middle of the posterior of (b, 3, h, w) in the scale trained on."""
        vae = self.pipeline.vae
        mode = vae.encode(pixels).latent_dist.mode()
        if self.name == FLUX2:
            patches = Flux2KleinPipeline._patchify_latents(mode)
            mean = vae.bn.running_mean.view(1, -1, 1, 1)
            return (patches - mean) / torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1) + vae.config.batch_norm_eps)
        if self.name == Z_IMAGE:
            return (mode - vae.config.shift_factor) * vae.config.scaling_factor
        return mode * vae.config.scaling_factor

    def noised(self, latents: Tensor, noise: Tensor, shares: list[float]) -> tuple[Tensor, Tensor, Tensor]:
        """(noisy, timesteps, target) at these shares of the schedule, from the least noise to the most."""
        config = self.pipeline.scheduler.config
        indices = torch.tensor([int(share * config.num_train_timesteps) for share in shares])
        if self.name in (SD15, SDXL):
            return DDPMScheduler.from_config(config).add_noise(latents, noise, indices), indices, noise
        scheduler = FlowMatchEulerDiscreteScheduler.from_config(config)
        places = config.num_train_timesteps - 1 - indices  # its timesteps begin with the most noise
        sigmas = scheduler.sigmas[places].view(-1, 1, 1, 1)
        return (1.0 - sigmas) * latents + sigmas * noise, scheduler.timesteps[places], noise - latents

    def predict(self, denoiser: Any, noisy: Tensor, timesteps: Tensor, conditions: tuple[Any, ...]) -> Tensor:
        text, pooled = conditions
        if self.name == SD15:
            return denoiser(noisy, timesteps, text, return_dict=False)[0]
        if self.name == SDXL:
            added = {"text_embeds": pooled, "time_ids": torch.tensor([TIME_IDS] * len(noisy))}
            return denoiser(noisy, timesteps, text, added_cond_kwargs=added, return_dict=False)[0]
        if self.name == FLUX2:
            positions = Flux2KleinPipeline._prepare_latent_ids(noisy)
            tokens = denoiser(
                hidden_states=Flux2KleinPipeline._pack_latents(noisy),
                timestep=timesteps / 1000,
                guidance=None,
                encoder_hidden_states=text,
                txt_ids=Flux2KleinPipeline._prepare_text_ids(text),
                img_ids=positions,
                return_dict=False,
            )[0]
            return Flux2KleinPipeline._unpack_latents_with_ids(tokens, positions)
        pictures = list(noisy.unsqueeze(2).unbind(dim=0))
        predicted = denoiser(pictures, (1000 - timesteps) / 1000, text, return_dict=False)[0]
        return -torch.stack(predicted, dim=0).squeeze(2)


def trained_pairs(checkpoint: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """(down, up) of each adapted layer as the optimizer left them, by the layer's key in a diffusers adapter file."""
    tensors = load_file(checkpoint / "state.safetensors")
    names = [name.removesuffix(".down") for name in tensors if name.startswith("adapter/") and name.endswith(".down")]
    return {name.removeprefix("adapter/"): (tensors[f"{name}.down"], tensors[f"{name}.up"]) for name in names}


@torch.no_grad()
def merged(twin: Twin, pairs: Mapping[str, tuple[Tensor, Tensor]], strength: float) -> Twin:
    """W + alpha / rank * up @ down, in place."""
    for layer, (down, up) in pairs.items():
        network, path = twin.place_of(layer)
        network.get_submodule(path).weight += strength * (up @ down)
    return twin


@torch.no_grad()
def prediction(twin: Twin) -> Tensor:
    """Of one noise and one prompt that are always the same."""
    shape = (1, 16, 8, 6) if twin.name == FLUX2 else (1, 4, 16, 12)
    latents, noise = torch.randn((2, *shape), generator=generator(3, "predict"))
    noisy, timesteps, _ = twin.noised(latents, noise, [0.5])
    return twin.predict(twin.denoiser, noisy, timesteps, twin.encode(["lorry photo"]))
