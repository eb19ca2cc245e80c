"""What Stable Diffusion 1.x and SDXL share: a UNet that predicts noise or v, CLIP text encoders, an 8x VAE."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from diffusers import AutoencoderKL, DDPMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor

from lora_trainer.errors import UnusableBaseModel
from lora_trainer.families.clip import TextEncoder
from lora_trainer.families.family import Conditioning, Network
from lora_trainer.families.loading import load_part, read_scheduler_config
from lora_trainer.objective import NoiseSchedule

PROMPTS_AT_ONCE = 32
# The keys of a scheduler's configuration that describe the noise itself; the rest belongs to one sampler.
NOISE_KEYS = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")


class UNetFamily(ABC):
    target_modules = r".*\.(to_q|to_k|to_v|to_out\.0)"  # every attention projection of the UNet
    guidance_scale: ClassVar[float]
    lora_loader: ClassVar[Any]  # diffusers' mixin that reads adapter files
    # (folder, class, prefix of its layers' keys in the main adapter file) of each, in the order that the UNet reads.
    text_encoder_kinds: ClassVar[tuple[tuple[str, Any, str], ...]]

    def __init__(
        self,
        folder: Path,
        *,
        denoiser: Any,
        vae: Any,
        text_encoders: Sequence[TextEncoder],
        scheduler_config: dict[str, Any],
        adapts_text: bool = False,
    ) -> None:
        self.denoiser = denoiser
        self.adapts_text = adapts_text
        self._folder = folder
        self._dtype = denoiser.dtype  # of the base weights as trained on, whatever becomes of the denoiser later
        self._vae = vae
        self._text_encoders = text_encoders
        self._noise_config = {key: scheduler_config[key] for key in NOISE_KEYS if key in scheduler_config}
        self.schedule = _schedule(self._noise_config, denoiser.device)

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype, adapts_text: bool = False) -> Self:
        return cls(
            folder,
            denoiser=load_unet(folder, device, dtype),
            vae=load_vae(folder, device),
            text_encoders=cls._load_text_encoders(folder, device, dtype),
            scheduler_config=read_scheduler_config(folder),
            adapts_text=adapts_text,
        )

    @classmethod
    def _load_text_encoders(cls, folder: Path, device: torch.device, dtype: torch.dtype) -> Sequence[TextEncoder]:
        return [
            TextEncoder.load(model_class, folder, part, prefix, device=device, dtype=dtype)
            for part, model_class, prefix in cls.text_encoder_kinds
        ]

    @property
    def networks(self) -> Sequence[Network]:
        unet = Network(self.denoiser, self.target_modules, "unet", self.kohya_key)
        return [unet, *(encoder.network for encoder in self._adapted_encoders)]

    @property
    def _adapted_encoders(self) -> Sequence[TextEncoder]:
        return self._text_encoders if self.adapts_text else ()

    def encode_prompts(self, prompts: list[str]) -> Conditioning:
        tokens = {encoder.part: encoder.tokenize(prompts) for encoder in self._text_encoders}
        return tokens if self.adapts_text else self._read_in_chunks(tokens, len(prompts))

    @torch.no_grad()
    def _read_in_chunks(self, tokens: Conditioning, count: int) -> Conditioning:
        chunks = [
            self._read({part: ids[start : start + PROMPTS_AT_ONCE] for part, ids in tokens.items()})
            for start in range(0, count, PROMPTS_AT_ONCE)
        ]
        return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}

    @abstractmethod
    def _read(self, tokens: Conditioning) -> Conditioning:
        """What the UNet is told of prompts, from each text encoder's tokens by the encoder's folder, (n, 77)."""

    def _as_text(self, conditioning: Conditioning) -> Conditioning:
        """The same with its tokens read; text that was read before stays."""
        return conditioning if "text" in conditioning else conditioning | self._read(conditioning)

    @torch.no_grad()
    def encode_image(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self._vae.encode(pixels[None].to(self._vae.device)).latent_dist
        scale = self._vae.config.scaling_factor
        return posterior.mean[0] * scale, posterior.std[0] * scale

    def describe_image(self, original: tuple[int, int], target: tuple[int, int]) -> Conditioning:  # noqa: ARG002
        return {}

    def free_encoders(self) -> None:
        self._vae.encoder = self._vae.quant_conv = None  # samples need the decoder only
        self._text_encoders = self._adapted_encoders

    def enable_gradient_checkpointing(self) -> None:
        self.denoiser.enable_gradient_checkpointing()
        for encoder in self._adapted_encoders:
            encoder.model.activation_checkpointing_enable()

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        told, dtype = self._as_text(conditioning), self.denoiser.dtype
        prediction: Tensor = self.denoiser(
            noisy.to(dtype, memory_format=layout_on(noisy.device)),
            timesteps,
            encoder_hidden_states=told["text"].to(dtype),
            added_cond_kwargs=self._added_conditions(told, dtype),
            return_dict=False,
        )[0]
        return prediction

    def _added_conditions(self, conditioning: Conditioning, dtype: torch.dtype) -> Conditioning:  # noqa: ARG002
        """What the UNet is told besides the text."""
        return {}

    @torch.no_grad()
    def sample(
        self, conditioning: Conditioning, empty: Conditioning, *, seed: int, resolution: int, steps: int
    ) -> Tensor:
        denoiser = self.denoiser
        sampler = DPMSolverMultistepScheduler.from_config(self._noise_config)
        sampler.set_timesteps(steps, device=denoiser.device)
        side = resolution // 2 ** (len(self._vae.config.block_out_channels) - 1)
        shape = (1, denoiser.config.in_channels, side, side)
        latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(denoiser.device)
        square = (resolution, resolution)
        both = self._as_text({key: torch.cat([empty[key], conditioning[key]]) for key in empty})
        both |= {key: torch.cat([tensor, tensor]) for key, tensor in self.describe_image(square, square).items()}
        for timestep in sampler.timesteps:
            noisy = sampler.scale_model_input(torch.cat([latents, latents]), timestep)
            without, with_prompt = self.predict(noisy, timestep, both).float().chunk(2)
            guided = without + self.guidance_scale * (with_prompt - without)
            latents = sampler.step(guided, timestep, latents).prev_sample
        picture: Tensor = self._vae.decode(latents / self._vae.config.scaling_factor).sample[0]
        return (picture / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu()

    def load_again(self) -> Self:
        again, device = copy(self), self.denoiser.device
        again.denoiser = load_unet(self._folder, device, self._dtype)
        if self.adapts_text:
            again._text_encoders = self._load_text_encoders(self._folder, device, self._dtype)  # noqa: SLF001 - its own
        return again

    def load_adapter(self, file: Path) -> None:
        state, alphas = self.lora_loader.lora_state_dict(
            str(file.parent), weight_name=file.name, unet_config=self.denoiser.config
        )
        self.lora_loader.load_lora_into_unet(state, network_alphas=alphas, unet=self.denoiser)
        for encoder in self._adapted_encoders:
            self.lora_loader.load_lora_into_text_encoder(
                state, network_alphas=alphas, text_encoder=encoder.model, prefix=encoder.part
            )

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


def _schedule(noise_config: dict[str, Any], device: torch.device) -> NoiseSchedule:
    scheduler = DDPMScheduler.from_config(noise_config)
    kind = scheduler.config.prediction_type
    if kind not in {"epsilon", "v_prediction"}:
        raise UnusableBaseModel(f"base model predicts {kind!r}; this trainer knows epsilon and v_prediction")
    return NoiseSchedule.variance_preserving(scheduler.alphas_cumprod.to(device), kind)
