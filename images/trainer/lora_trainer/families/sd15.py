"""Stable Diffusion 1.x: one CLIP text encoder, whose last hidden state is all that the UNet reads."""

from pathlib import Path
from typing import Any, Self

import torch
from diffusers.loaders import StableDiffusionLoraLoaderMixin
from transformers import CLIPTextModel

from lora_trainer.families.family import Conditioning
from lora_trainer.families.loading import load_part, read_scheduler_config
from lora_trainer.families.unet import PROMPTS_AT_ONCE, UNetFamily, load_clip_tokenizer, load_unet, load_vae, tokenize


class StableDiffusion(UNetFamily):
    architecture = "stable-diffusion-v1/lora"
    kohya_base_model_version = "sd_v1"
    guidance_scale = 7.5
    lora_loader = StableDiffusionLoraLoaderMixin

    def __init__(self, folder: Path, *, text_encoder: Any, tokenizer: Any, **parts: Any) -> None:
        super().__init__(folder, **parts)
        self._text_encoder = text_encoder
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype) -> Self:
        text_encoder = load_part(CLIPTextModel, folder, "text_encoder", device, dtype=dtype)
        return cls(
            folder,
            denoiser=load_unet(folder, device, dtype),
            vae=load_vae(folder, device),
            text_encoder=text_encoder,
            tokenizer=load_clip_tokenizer(folder, "tokenizer", text_encoder.config.vocab_size),
            scheduler_config=read_scheduler_config(folder),
        )

    @torch.no_grad()
    def encode_prompts(self, prompts: list[str]) -> Conditioning:
        tokens = tokenize(self._tokenizer, prompts, self._text_encoder.device)
        hidden = [self._text_encoder(chunk).last_hidden_state for chunk in tokens.split(PROMPTS_AT_ONCE)]
        return {"text": torch.cat(hidden)}  # (n, 77, width)

    def free_encoders(self) -> None:
        super().free_encoders()
        self._text_encoder = self._tokenizer = None


FAMILY = StableDiffusion
