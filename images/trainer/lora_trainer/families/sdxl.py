"""Stable Diffusion XL: two CLIP text encoders, and a UNet that is also told how its picture was cropped.

Conditioning as in the paper (arXiv:2307.01952, 2.2) and in diffusers' train_text_to_image_lora_sdxl.py.
"""

import re
from pathlib import Path
from typing import Any, Self

import torch
from diffusers.loaders import StableDiffusionXLLoraLoaderMixin
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from lora_trainer.families.family import Conditioning
from lora_trainer.families.loading import load_part, read_scheduler_config
from lora_trainer.families.unet import PROMPTS_AT_ONCE, UNetFamily, load_clip_tokenizer, load_unet, load_vae, tokenize


class StableDiffusionXL(UNetFamily):
    architecture = "stable-diffusion-xl-v1-base/lora"
    kohya_base_model_version = "sdxl_base_v1-0"
    guidance_scale = 5.0
    lora_loader = StableDiffusionXLLoraLoaderMixin

    def __init__(self, folder: Path, *, text_encoders: list[Any], tokenizers: list[Any], **parts: Any) -> None:
        super().__init__(folder, **parts)
        self._text_encoders = text_encoders  # the last one has the pooled output
        self._tokenizers = tokenizers

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype) -> Self:
        first = load_part(CLIPTextModel, folder, "text_encoder", device, dtype=dtype)
        second = load_part(CLIPTextModelWithProjection, folder, "text_encoder_2", device, dtype=dtype)
        return cls(
            folder,
            denoiser=load_unet(folder, device, dtype),
            vae=load_vae(folder, device),
            text_encoders=[first, second],
            tokenizers=[
                load_clip_tokenizer(folder, "tokenizer", first.config.vocab_size),
                load_clip_tokenizer(folder, "tokenizer_2", second.config.vocab_size),
            ],
            scheduler_config=read_scheduler_config(folder),
        )

    @torch.no_grad()
    def encode_prompts(self, prompts: list[str]) -> Conditioning:
        hidden, pooled = [], torch.empty(0)
        for tokenizer, encoder in zip(self._tokenizers, self._text_encoders, strict=True):
            tokens = tokenize(tokenizer, prompts, encoder.device)
            outputs = [encoder(chunk, output_hidden_states=True) for chunk in tokens.split(PROMPTS_AT_ONCE)]
            hidden.append(torch.cat([output.hidden_states[-2] for output in outputs]))
            pooled = torch.cat([output[0] for output in outputs])  # of the last encoder in the end
        return {"text": torch.cat(hidden, dim=-1), "pooled": pooled}  # (n, 77, both widths), (n, second width)

    def describe_image(self, original: tuple[int, int], target: tuple[int, int]) -> Conditioning:
        return {"time_ids": torch.tensor([time_ids(original, target)], device=self.denoiser.device)}  # (1, 6)

    def free_encoders(self) -> None:
        super().free_encoders()
        self._text_encoders, self._tokenizers = [], []

    def _added_conditions(self, conditioning: Conditioning, dtype: torch.dtype) -> dict[str, Tensor]:
        return {"text_embeds": conditioning["pooled"].to(dtype), "time_ids": conditioning["time_ids"]}

    def kohya_key(self, module: str) -> str:
        """kohya names SDXL's blocks as its original code does: one running number over a UNet's half."""
        return super().kohya_key(original_name(module, self.denoiser.config.layers_per_block))


def time_ids(original: tuple[int, int], target: tuple[int, int]) -> tuple[float, ...]:
    """Original height and width, top and left of the crop in the resized picture, target height and width."""
    (width, height), (target_width, target_height) = original, target
    scale = max(target_width / width, target_height / height)
    top = max(0, round((round(height * scale) - target_height) / 2))
    left = max(0, round((round(width * scale) - target_width) / 2))
    return tuple(float(value) for value in (height, width, top, left, target_height, target_width))


def original_name(module: str, layers_per_block: int) -> str:
    """`down_blocks.1.attentions.0.x` -> `input_blocks.4.1.x`: each block's layers, then its resampler, are counted."""
    if module.startswith("mid_block.attentions.0."):
        return module.replace("mid_block.attentions.0.", "middle_block.1.", 1)
    found = re.fullmatch(r"(down|up)_blocks\.(\d+)\.attentions\.(\d+)\.(.+)", module)
    if found is None:
        raise ValueError(f"{module} is not an attention layer of an SDXL UNet")
    half, block, layer, rest = found.groups()
    number = int(block) * (layers_per_block + 1) + int(layer)
    return f"input_blocks.{number + 1}.1.{rest}" if half == "down" else f"output_blocks.{number}.1.{rest}"


FAMILY = StableDiffusionXL
