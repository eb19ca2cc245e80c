"""Stable Diffusion XL: two CLIP text encoders, and a UNet that is also told how its picture was cropped.

Conditioning as in the paper (arXiv:2307.01952, 2.2) and in diffusers' train_text_to_image_lora_sdxl.py.
"""

import re

import torch
from diffusers.loaders import StableDiffusionXLLoraLoaderMixin
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from lora_trainer.families.family import Conditioning
from lora_trainer.families.unet import UNetFamily


class StableDiffusionXL(UNetFamily):
    architecture = "stable-diffusion-xl-v1-base/lora"
    kohya_base_model_version = "sdxl_base_v1-0"
    guidance_scale = 5.0
    lora_loader = StableDiffusionXLLoraLoaderMixin
    text_encoder_kinds = (
        ("text_encoder", CLIPTextModel, "lora_te1"),
        ("text_encoder_2", CLIPTextModelWithProjection, "lora_te2"),
    )

    def _read(self, tokens: Conditioning) -> Conditioning:
        outputs = [encoder.model(tokens[encoder.part], output_hidden_states=True) for encoder in self._text_encoders]
        text = torch.cat([output.hidden_states[-2] for output in outputs], dim=-1)
        return {"text": text, "pooled": outputs[-1].text_embeds}  # (n, 77, both widths), (n, second width)

    def describe_image(self, original: tuple[int, int], target: tuple[int, int]) -> Conditioning:
        return {"time_ids": torch.tensor([time_ids(original, target)], device=self.denoiser.device)}  # (1, 6)

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
