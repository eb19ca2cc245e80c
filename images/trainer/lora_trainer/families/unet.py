"""What Stable Diffusion 1.x and SDXL share: a UNet that predicts noise or v, CLIP text encoders, an 8x VAE."""

from pathlib import Path
from typing import Any, ClassVar

import torch
from diffusers import AutoencoderKL, DDPMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTokenizer

from lora_trainer.errors import UnusableBaseModel
from lora_trainer.families.family import Conditioning
from lora_trainer.families.loading import load_part, load_tokenizer
from lora_trainer.objective import NoiseSchedule

TOKENS = 77  # CLIP's context
PROMPTS_AT_ONCE = 32
# The keys of a scheduler's configuration that describe the noise itself; the rest belongs to one sampler.
NOISE_KEYS = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")


class UNetFamily:
    target_modules = r".*\.(to_q|to_k|to_v|to_out\.0)"  # every attention projection
    diffusers_prefix = "unet"
    guidance_scale: ClassVar[float]
    lora_loader: ClassVar[Any]  # diffusers' mixin that reads adapter files

    def __init__(self, folder: Path, *, denoiser: Any, vae: Any, scheduler_config: dict[str, Any]) -> None:
        self.denoiser = denoiser
        self._folder = folder
        self._dtype = denoiser.dtype  # of the base weights as trained on, whatever becomes of the denoiser later
        self._vae = vae
        self._noise_config = {key: scheduler_config[key] for key in NOISE_KEYS if key in scheduler_config}
        self.schedule = _schedule(self._noise_config, denoiser.device)

    @torch.no_grad()
    def encode_image(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self._vae.encode(pixels[None].to(self._vae.device)).latent_dist
        scale = self._vae.config.scaling_factor
        return posterior.mean[0] * scale, posterior.std[0] * scale

    def describe_image(self, original: tuple[int, int], target: tuple[int, int]) -> Conditioning:  # noqa: ARG002
        return {}

    def free_encoders(self) -> None:
        self._vae.encoder = self._vae.quant_conv = None  # samples need the decoder only

    def predict(self, denoiser: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        prediction: Tensor = denoiser(
            noisy.to(denoiser.dtype, memory_format=layout_on(denoiser.device)),
            timesteps,
            encoder_hidden_states=conditioning["text"].to(denoiser.dtype),
            added_cond_kwargs=self._added_conditions(conditioning, denoiser.dtype),
            return_dict=False,
        )[0]
        return prediction

    def _added_conditions(self, conditioning: Conditioning, dtype: torch.dtype) -> Conditioning:  # noqa: ARG002
        """What the UNet is told besides the text."""
        return {}

    @torch.no_grad()
    def sample(
        self, denoiser: Any, conditioning: Conditioning, empty: Conditioning, *, seed: int, resolution: int, steps: int
    ) -> Tensor:
        sampler = DPMSolverMultistepScheduler.from_config(self._noise_config)
        sampler.set_timesteps(steps, device=denoiser.device)
        side = resolution // 2 ** (len(self._vae.config.block_out_channels) - 1)
        shape = (1, denoiser.config.in_channels, side, side)
        latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(denoiser.device)
        square = (resolution, resolution)
        both = {key: torch.cat([empty[key], conditioning[key]]) for key in empty}
        both |= {key: torch.cat([tensor, tensor]) for key, tensor in self.describe_image(square, square).items()}
        for timestep in sampler.timesteps:
            noisy = sampler.scale_model_input(torch.cat([latents, latents]), timestep)
            without, with_prompt = self.predict(denoiser, noisy, timestep, both).float().chunk(2)
            guided = without + self.guidance_scale * (with_prompt - without)
            latents = sampler.step(guided, timestep, latents).prev_sample
        picture: Tensor = self._vae.decode(latents / self._vae.config.scaling_factor).sample[0]
        return (picture / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu()

    def load_denoiser(self) -> Any:
        return load_unet(self._folder, self.denoiser.device, self._dtype)

    def load_adapter(self, denoiser: Any, file: Path) -> None:
        state, alphas = self.lora_loader.lora_state_dict(
            str(file.parent), weight_name=file.name, unet_config=denoiser.config
        )
        self.lora_loader.load_lora_into_unet(state, network_alphas=alphas, unet=denoiser)

    def kohya_key(self, module: str) -> str:
        return f"lora_unet_{module.replace('.', '_')}"


def load_unet(folder: Path, device: torch.device, dtype: torch.dtype) -> Any:
    unet = load_part(UNet2DConditionModel, folder, "unet", device, torch_dtype=dtype)
    return unet.to(memory_format=layout_on(device))


def load_vae(folder: Path, device: torch.device) -> Any:
    """float32: in half precision some VAEs overflow, SDXL's first of all, and each image passes only once."""
    return load_part(AutoencoderKL, folder, "vae", device, torch_dtype=torch.float32).to(
        memory_format=layout_on(device)
    )


def layout_on(device: torch.device) -> torch.memory_format:
    """What tensor cores convolve without transposing; a processor is a few per cent quicker without it."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def load_clip_tokenizer(folder: Path, part: str, vocabulary: int) -> Any:
    tokenizer = load_tokenizer(CLIPTokenizer, folder, part)
    if len(tokenizer) != vocabulary or tokenizer.model_max_length != TOKENS:
        found = f"{len(tokenizer)} words and length {tokenizer.model_max_length}"
        raise UnusableBaseModel(f"base model's {part} has {found}; its text encoder needs {vocabulary} and {TOKENS}")
    return tokenizer


def tokenize(tokenizer: Any, prompts: list[str], device: torch.device) -> Tensor:
    """(n, 77) token ids."""
    encoded = tokenizer(prompts, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt")
    ids: Tensor = encoded.input_ids.to(device)
    return ids


def _schedule(noise_config: dict[str, Any], device: torch.device) -> NoiseSchedule:
    scheduler = DDPMScheduler.from_config(noise_config)
    kind = scheduler.config.prediction_type
    if kind not in {"epsilon", "v_prediction"}:
        raise UnusableBaseModel(f"base model predicts {kind!r}; this trainer knows epsilon and v_prediction")
    return NoiseSchedule.variance_preserving(scheduler.alphas_cumprod.to(device), kind)
