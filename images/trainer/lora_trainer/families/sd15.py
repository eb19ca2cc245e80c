"""Stable Diffusion 1.x: one CLIP text encoder, whose last hidden state is all that the UNet reads."""

from diffusers.loaders import StableDiffusionLoraLoaderMixin
from transformers import CLIPTextModel

from lora_trainer.families.family import Conditioning
from lora_trainer.families.unet import UNetFamily


class StableDiffusion(UNetFamily):
    architecture = "stable-diffusion-v1/lora"
    kohya_base_model_version = "sd_v1"
    guidance_scale = 7.5
    lora_loader = StableDiffusionLoraLoaderMixin
    text_encoder_kinds = (("text_encoder", CLIPTextModel, "lora_te"),)

    def _read(self, tokens: Conditioning) -> Conditioning:
        (encoder,) = self._text_encoders
        return {"text": encoder.model(tokens[encoder.part]).last_hidden_state}  # (n, 77, width)


FAMILY = StableDiffusion
