"""Z-Image: one layer of the language model, without its padding; one stream of picture and text tokens."""

import torch
from diffusers import AutoencoderKL, ZImageTransformer2DModel
from diffusers.loaders.lora_pipeline import ZImageLoraLoaderMixin
from diffusers.pipelines.z_image.pipeline_z_image import calculate_shift
from torch import Tensor

from lora_trainer.families.family import Conditioning
from lora_trainer.families.flow import FlowFamily

SHIFT_KEYS = {
    "base_image_seq_len": "base_seq_len",
    "max_image_seq_len": "max_seq_len",
    "base_shift": "base_shift",
    "max_shift": "max_shift",
}


class ZImage(FlowFamily):
    architecture = "Z-Image/lora"
    kohya_base_model_version = "z_image"
    target_modules = r".*\.attention\.(to_q|to_k|to_v|to_out\.0)"  # of every block, refiners too
    transformer_class = ZImageTransformer2DModel
    vae_class = AutoencoderKL
    lora_loader = ZImageLoraLoaderMixin
    lets_the_encoder_think = True
    guidance_scale = 6.0  # diffusers' pipeline calls it 5: there it counts from the prompted side

    def _text_conditioning(self, hidden: tuple[Tensor, ...], is_text: Tensor) -> Conditioning:
        words = hidden[-2]
        text = torch.zeros_like(words)
        for row, kept in enumerate(is_text):
            text[row, : int(kept.sum())] = words[row, kept]
        return {"text": text, "length": is_text.sum(dim=1)}  # (n, 512, width) from the left, (n,)

    def _to_trained_scale(self, latents: Tensor) -> Tensor:
        config = self._vae.config
        scaled: Tensor = (latents - config.shift_factor) * config.scaling_factor
        return scaled

    def _from_trained_scale(self, latents: Tensor) -> Tensor:
        config = self._vae.config
        unscaled: Tensor = latents / config.scaling_factor + config.shift_factor
        return unscaled

    def _velocity(self, noisy: Tensor, sigmas: Tensor, conditioning: Conditioning) -> Tensor:
        dtype = self.denoiser.dtype
        # The transformer pads each text by itself, so it has to be given the true length.
        lengths = conditioning["length"].tolist()
        texts = [text[:length] for text, length in zip(conditioning["text"].to(dtype), lengths, strict=True)]
        # It takes a list of pictures of one frame each, counts time towards the picture, and so points the other way.
        pictures = list(noisy.to(dtype).unsqueeze(2))
        velocities = self.denoiser(pictures, 1 - sigmas, texts, return_dict=False)[0]
        return -torch.stack(velocities).squeeze(2)

    def _latent_shape(self, resolution: int) -> tuple[int, int, int, int]:
        return (1, self.denoiser.in_channels, resolution // 8, resolution // 8)

    def _shift(self, tokens: int, steps: int) -> float:  # noqa: ARG002
        config = self._scheduler_config
        return float(calculate_shift(tokens, **{name: config[key] for key, name in SHIFT_KEYS.items()}))

    def kohya_key(self, module: str) -> str:
        """With dots, as ComfyUI and diffusers read it: underscored names of the split q, k and v mean nothing there."""
        return f"diffusion_model.{module}"


FAMILY = ZImage
