"""Models of full size with random weights: real shapes, nothing to download. One is as fast as a trained one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from build_model import WITHOUT_SAFETY_CHECKER, build_clip_tokenizer, build_noise_scheduler
from lora_trainer.cache import Encoded, Shelf
from lora_trainer.families.clip import TOKENS
from lora_trainer.families.sd15 import StableDiffusion
from lora_trainer.families.sdxl import StableDiffusionXL, time_ids
from lora_trainer.families.unet import UNetFamily

SD15: dict[str, Any] = {"sample_size": 64, "cross_attention_dim": 768}  # the rest is diffusers' default
SDXL: dict[str, Any] = {
    "sample_size": 128,
    "cross_attention_dim": 2048,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "use_linear_projection": True,
}
SDXL_POOLED_WIDTH = 1280


def save_sd15(folder: Path) -> None:
    """A diffusers folder in bf16, 2.1 GB. The text encoder is CLIP-L but for its vocabulary, which costs no time."""
    tokenizer = build_clip_tokenizer()
    parts = {
        "unet": UNet2DConditionModel(**SD15),
        "vae": AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
        ),
        "text_encoder": CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=768,
                intermediate_size=3072,
                num_hidden_layers=12,
                num_attention_heads=12,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        ),
    }
    for name, part in parts.items():
        part.to(torch.bfloat16).save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / "tokenizer")
    build_noise_scheduler().save_pretrained(folder / "scheduler")
    index = {"_class_name": "StableDiffusionPipeline", **WITHOUT_SAFETY_CHECKER}
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")


def denoiser_only(kind: str, device: torch.device) -> UNetFamily:
    """A family in bf16 that has nothing but its UNet, for steps on made-up latents."""
    with torch.device(device):
        unet = UNet2DConditionModel(**(SDXL if kind == "sdxl" else SD15))
    unet = unet.to(torch.bfloat16, memory_format=torch.channels_last).requires_grad_(requires_grad=False)
    family = StableDiffusionXL if kind == "sdxl" else StableDiffusion
    scheduler_config = dict(build_noise_scheduler().config)
    return family(Path(), denoiser=unet, vae=None, text_encoders=[], scheduler_config=scheduler_config)


def made_up_pictures(kind: str, resolution: int, count: int, device: torch.device) -> Encoded:
    mean = torch.randn((count, 1, 4, resolution // 8, resolution // 8), device=device)
    text = {"text": torch.randn((1, TOKENS, (SDXL if kind == "sdxl" else SD15)["cross_attention_dim"]), device=device)}
    described = {}
    if kind == "sdxl":
        text["pooled"] = torch.randn((1, SDXL_POOLED_WIDTH), device=device)
        side = (resolution, resolution)
        described = {"time_ids": torch.tensor([time_ids(side, side)] * count, device=device)}
    keys = tuple(str(index) for index in range(count))
    return Encoded((Shelf(mean, torch.full_like(mean, 0.1), (0,) * count, described, keys),), text)
