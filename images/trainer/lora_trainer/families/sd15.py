"""Stable Diffusion 1.x: UNet, one CLIP text encoder, 8x VAE. Also the built-in tiny model."""

import json
from pathlib import Path
from typing import Any, Self

import torch
from diffusers import AutoencoderKL, DDPMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from diffusers.loaders import StableDiffusionLoraLoaderMixin
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from lora_trainer.errors import UnusableBaseModel
from lora_trainer.families.family import Conditioning
from lora_trainer.objective import NoiseSchedule

GUIDANCE_SCALE = 7.5
TOKENS = 77  # CLIP's context
PROMPTS_AT_ONCE = 32
# The keys of a scheduler's configuration that describe the noise itself; the rest belongs to one sampler.
NOISE_KEYS = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")


class StableDiffusion:
    target_modules = ("to_q", "to_k", "to_v", "to_out.0")
    kohya_prefix = "lora_unet"
    architecture = "stable-diffusion-v1/lora"
    kohya_base_model_version = "sd_v1"

    def __init__(
        self,
        folder: Path,
        *,
        denoiser: Any,
        vae: Any,
        text_encoder: Any,
        tokenizer: Any,
        noise_config: dict[str, Any],
    ) -> None:
        self.denoiser = denoiser
        self.schedule = _schedule(noise_config, denoiser.device)
        self._folder = folder
        self._dtype = denoiser.dtype  # of the base weights as trained on, whatever becomes of the denoiser later
        self._vae = vae
        self._text_encoder = text_encoder
        self._tokenizer = tokenizer
        self._noise_config = noise_config

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype) -> Self:
        text_encoder = _load(CLIPTextModel, folder, "text_encoder", device, dtype=dtype)
        return cls(
            folder,
            denoiser=_load_unet(folder, device, dtype),
            # float32: in half precision some VAEs overflow, and each image passes only once.
            vae=_load(AutoencoderKL, folder, "vae", device, torch_dtype=torch.float32),
            text_encoder=text_encoder,
            tokenizer=_load_tokenizer(folder, text_encoder.config.vocab_size),
            noise_config=_read_noise_config(folder / "scheduler" / "scheduler_config.json"),
        )

    @torch.no_grad()
    def encode_prompts(self, prompts: list[str]) -> Conditioning:
        tokens = self._tokenizer(
            prompts, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt"
        ).input_ids.to(self._text_encoder.device)
        hidden = [self._text_encoder(chunk).last_hidden_state for chunk in tokens.split(PROMPTS_AT_ONCE)]
        return {"text": torch.cat(hidden)}  # (n, 77, width)

    @torch.no_grad()
    def encode_image(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self._vae.encode(pixels[None].to(self._vae.device)).latent_dist
        scale = self._vae.config.scaling_factor
        return posterior.mean[0] * scale, posterior.std[0] * scale

    def free_encoders(self) -> None:
        self._text_encoder = self._tokenizer = None
        self._vae.encoder = self._vae.quant_conv = None  # samples need the decoder only

    def predict(self, denoiser: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        text = conditioning["text"].to(denoiser.dtype)
        noisy = noisy.to(denoiser.dtype, memory_format=torch.channels_last)
        prediction: Tensor = denoiser(noisy, timesteps, encoder_hidden_states=text, return_dict=False)[0]
        return prediction

    @torch.no_grad()
    def sample(
        self, denoiser: Any, conditioning: Conditioning, empty: Conditioning, *, seed: int, resolution: int, steps: int
    ) -> Tensor:
        sampler = DPMSolverMultistepScheduler.from_config(self._noise_config)
        sampler.set_timesteps(steps, device=denoiser.device)
        side = resolution // 2 ** (len(self._vae.config.block_out_channels) - 1)
        shape = (1, denoiser.config.in_channels, side, side)
        latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(denoiser.device)
        both = {key: torch.cat([empty[key], conditioning[key]]) for key in conditioning}
        for timestep in sampler.timesteps:
            noisy = sampler.scale_model_input(torch.cat([latents, latents]), timestep)
            without, with_prompt = self.predict(denoiser, noisy, timestep, both).float().chunk(2)
            guided = without + GUIDANCE_SCALE * (with_prompt - without)
            latents = sampler.step(guided, timestep, latents).prev_sample
        picture: Tensor = self._vae.decode(latents / self._vae.config.scaling_factor).sample[0]
        return (picture / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu()

    def load_denoiser(self) -> Any:
        return _load_unet(self._folder, self.denoiser.device, self._dtype)

    def load_adapter(self, denoiser: Any, file: Path) -> None:
        loader = StableDiffusionLoraLoaderMixin
        state, alphas = loader.lora_state_dict(str(file.parent), weight_name=file.name, unet_config=denoiser.config)
        loader.load_lora_into_unet(state, network_alphas=alphas, unet=denoiser)


def _load(model_class: Any, folder: Path, part: str, device: torch.device, **dtype: torch.dtype) -> Any:
    try:
        model = model_class.from_pretrained(
            folder, subfolder=part, use_safetensors=True, local_files_only=True, **dtype
        )
    except (OSError, ValueError, KeyError, RuntimeError) as exc:
        raise UnusableBaseModel(f"base model's {part}/ cannot be loaded: {exc}") from exc
    return model.to(device).requires_grad_(requires_grad=False).eval()


def _load_unet(folder: Path, device: torch.device, dtype: torch.dtype) -> Any:
    # Without a dtype diffusers would load half-precision weights as float32.
    unet = _load(UNet2DConditionModel, folder, "unet", device, torch_dtype=dtype)
    return unet.to(memory_format=torch.channels_last)


def _load_tokenizer(folder: Path, vocabulary: int) -> Any:
    """transformers answers a missing tokenizer with a two-word stub instead of an error (its issue 45538)."""
    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer", local_files_only=True)
    if len(tokenizer) != vocabulary or tokenizer.model_max_length != TOKENS:
        found = f"{len(tokenizer)} words and length {tokenizer.model_max_length}"
        raise UnusableBaseModel(f"base model's tokenizer has {found}; its text encoder needs {vocabulary} and {TOKENS}")
    return tokenizer


def _read_noise_config(path: Path) -> dict[str, Any]:
    try:
        scheduler_config = json.loads(path.read_text(encoding="utf-8"))
        return {key: scheduler_config[key] for key in NOISE_KEYS if key in scheduler_config}
    except (OSError, ValueError, TypeError) as exc:
        raise UnusableBaseModel(f"base model's scheduler/{path.name} cannot be read: {exc}") from exc


def _schedule(noise_config: dict[str, Any], device: torch.device) -> NoiseSchedule:
    scheduler = DDPMScheduler.from_config(noise_config)
    kind = scheduler.config.prediction_type
    if kind not in {"epsilon", "v_prediction"}:
        raise UnusableBaseModel(f"base model predicts {kind!r}; this trainer knows epsilon and v_prediction")
    return NoiseSchedule.variance_preserving(scheduler.alphas_cumprod.to(device), kind)


FAMILY = StableDiffusion
