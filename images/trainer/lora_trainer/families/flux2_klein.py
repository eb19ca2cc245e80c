"""FLUX.2-klein: three layers of the language model side by side; latents in 2x2 patches, normalised by the VAE."""

import json
import re
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, Flux2Transformer2DModel
from diffusers.loaders.lora_pipeline import Flux2LoraLoaderMixin
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from lora_trainer.families.family import Conditioning
from lora_trainer.families.flow import FlowFamily

TEXT_LAYERS = (9, 18, 27)
GUIDANCE_SCALE = 4.0
NO_GUIDANCE = 1.0
TEXT_WIDTH_9B = 3 * 4096  # of the 9B model, which reads the larger Qwen3
# The original code's names: q, k and v are one layer there, as are the same three of the text stream.
DOUBLE_BLOCK_NAMES = {
    "attn.to_q": "img_attn_qkv",
    "attn.to_k": "img_attn_qkv",
    "attn.to_v": "img_attn_qkv",
    "attn.to_out.0": "img_attn_proj",
    "attn.add_q_proj": "txt_attn_qkv",
    "attn.add_k_proj": "txt_attn_qkv",
    "attn.add_v_proj": "txt_attn_qkv",
    "attn.to_add_out": "txt_attn_proj",
}
SINGLE_BLOCK_NAMES = {"attn.to_qkv_mlp_proj": "linear1", "attn.to_out": "linear2"}


class Flux2Klein(FlowFamily):
    # The attention of both streams; in a single-stream block attention and feed-forward are the same two layers.
    target_modules = (
        r"transformer_blocks\.\d+\.attn\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)"
        r"|single_transformer_blocks\.\d+\.attn\.(to_qkv_mlp_proj|to_out)"
    )
    transformer_class = Flux2Transformer2DModel
    vae_class = AutoencoderKLFlux2
    lora_loader = Flux2LoraLoaderMixin
    lets_the_encoder_think = False

    def __init__(self, folder: Path, **parts: Any) -> None:
        super().__init__(folder, **parts)
        self.guidance_scale = NO_GUIDANCE if _is_distilled(folder) else GUIDANCE_SCALE
        size = "9b" if self.denoiser.config.joint_attention_dim == TEXT_WIDTH_9B else "4b"
        self.architecture = f"Flux.2-klein-{size}/lora"
        self.kohya_base_model_version = f"flux_2_klein_{size}"

    def _text_conditioning(self, hidden: tuple[Tensor, ...], is_text: Tensor) -> Conditioning:  # noqa: ARG002
        return {"text": torch.cat([hidden[layer] for layer in TEXT_LAYERS], dim=-1)}  # (n, 512, three widths)

    def _to_trained_scale(self, latents: Tensor) -> Tensor:
        mean, std = self._patch_statistics()
        return (pixel_unshuffle(latents, 2) - mean) / std

    def _from_trained_scale(self, latents: Tensor) -> Tensor:
        mean, std = self._patch_statistics()
        return pixel_shuffle(latents * std + mean, 2)

    def _patch_statistics(self) -> tuple[Tensor, Tensor]:
        norm = self._vae.bn
        mean, variance = norm.running_mean, norm.running_var + self._vae.config.batch_norm_eps
        return mean.view(1, -1, 1, 1), variance.sqrt().view(1, -1, 1, 1)

    def _velocity(self, noisy: Tensor, sigmas: Tensor, conditioning: Conditioning) -> Tensor:
        dtype = self.denoiser.dtype
        text = conditioning["text"].to(dtype)
        tokens: Tensor = self.denoiser(
            hidden_states=noisy.to(dtype).flatten(2).transpose(1, 2),
            timestep=sigmas,
            encoder_hidden_states=text,
            img_ids=_positions(1, *noisy.shape[2:], 1, device=noisy.device),
            txt_ids=_positions(1, 1, 1, text.shape[1], device=noisy.device),
            return_dict=False,
        )[0]
        return tokens.transpose(1, 2).reshape(noisy.shape)

    def _latent_shape(self, resolution: int) -> tuple[int, int, int, int]:
        return (1, self.denoiser.config.in_channels, resolution // 16, resolution // 16)

    def _shift(self, tokens: int, steps: int) -> float:
        return float(compute_empirical_mu(tokens, steps))

    def kohya_key(self, module: str) -> str:
        found = re.fullmatch(r"(single_)?transformer_blocks\.(\d+)\.(.+)", module)
        if found is None:
            raise ValueError(f"{module} is in no block of a FLUX.2 transformer")
        is_single, block, layer = found.groups()
        if is_single:
            return f"lora_unet_single_blocks_{block}_{SINGLE_BLOCK_NAMES[layer]}"
        return f"lora_unet_double_blocks_{block}_{DOUBLE_BLOCK_NAMES[layer]}"


def _is_distilled(folder: Path) -> bool:
    """Whether guidance is built in already: the few-step model, unlike the one that is meant for training."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    return bool(index.get("is_distilled"))


def _positions(*sizes: int, device: torch.device) -> Tensor:
    """(tokens, 4): frame, row, column and word of each token, for the rotary embedding."""
    return torch.cartesian_prod(*(torch.arange(size, device=device) for size in sizes))


FAMILY = Flux2Klein
