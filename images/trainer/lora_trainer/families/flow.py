"""What FLUX.2-klein and Z-Image share: a flow-matching transformer and a Qwen3 language model that reads the prompts.

Training as in diffusers' train_dreambooth_lora_flux2_klein.py and train_dreambooth_lora_z_image.py by default: the
middle of the latent posterior, timesteps uniform over the scheduler's own sigmas, every timestep of the same weight.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor
from transformers import Qwen2Tokenizer, Qwen3Model

from lora_trainer.errors import UnusableBaseModel
from lora_trainer.families.family import Conditioning, Network
from lora_trainer.families.loading import load_part, load_tokenizer, read_scheduler_config
from lora_trainer.objective import NoiseSchedule

TOKENS = 512
PROMPTS_AT_ONCE = 8
MIN_VOCABULARY = 256  # one token for each byte


class FlowFamily(ABC):
    adapts_text = False
    target_modules: ClassVar[str]  # of the transformer
    transformer_class: ClassVar[Any]
    vae_class: ClassVar[Any]
    lora_loader: ClassVar[Any]  # diffusers' mixin that reads adapter files
    lets_the_encoder_think: ClassVar[bool]  # the chat template's switch, as the model was trained
    guidance_scale: float

    def __init__(
        self, folder: Path, *, denoiser: Any, vae: Any, text_encoder: Any, tokenizer: Any, scheduler: Any
    ) -> None:
        self.denoiser = denoiser
        # Upside down: diffusers' first timestep is the noisiest.
        self.schedule = NoiseSchedule.flow(scheduler.sigmas.flip(0).to(denoiser.device))
        self._folder = folder
        self._dtype = denoiser.dtype  # of the base weights as trained on, whatever becomes of the denoiser later
        self._vae = vae
        self._text_encoder = text_encoder
        self._tokenizer = tokenizer
        self._scheduler_config = scheduler.config

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype, adapts_text: bool = False) -> Self:  # noqa: ARG003
        text_encoder = load_part(Qwen3Model, folder, "text_encoder", device, dtype=dtype)
        return cls(
            folder,
            denoiser=load_part(cls.transformer_class, folder, "transformer", device, torch_dtype=dtype),
            # float32: each image passes only once.
            vae=load_part(cls.vae_class, folder, "vae", device, torch_dtype=torch.float32),
            text_encoder=text_encoder,
            tokenizer=_load_chat_tokenizer(folder, text_encoder.config.vocab_size),
            scheduler=_load_scheduler(folder),
        )

    @property
    def networks(self) -> Sequence[Network]:
        return [Network(self.denoiser, self.target_modules, "transformer", self.kohya_key)]

    @abstractmethod
    def kohya_key(self, module: str) -> str:
        """Of a transformer's layer."""

    @torch.no_grad()
    def encode_prompts(self, prompts: list[str]) -> Conditioning:
        chunks = [prompts[start : start + PROMPTS_AT_ONCE] for start in range(0, len(prompts), PROMPTS_AT_ONCE)]
        encoded = [self._encode_chunk(chunk) for chunk in chunks]
        return {name: torch.cat([part[name] for part in encoded]) for name in encoded[0]}

    def _encode_chunk(self, prompts: list[str]) -> Conditioning:
        tokens = self._tokenizer(
            [self._as_chat(prompt) for prompt in prompts],
            padding="max_length",
            max_length=TOKENS,
            truncation=True,
            return_tensors="pt",
        ).to(self._text_encoder.device)
        output = self._text_encoder(**tokens, output_hidden_states=True, use_cache=False)
        return self._text_conditioning(output.hidden_states, tokens["attention_mask"].bool())

    def _as_chat(self, prompt: str) -> str:
        text: str = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=self.lets_the_encoder_think,
        )
        return text

    @abstractmethod
    def _text_conditioning(self, hidden: tuple[Tensor, ...], is_text: Tensor) -> Conditioning:
        """From the language model's layers, each (n, 512, width), and where tokens are no padding, (n, 512)."""

    @torch.no_grad()
    def encode_image(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        mode = self._vae.encode(pixels[None].to(self._vae.device)).latent_dist.mode()
        latents = self._to_trained_scale(mode)[0]
        return latents, torch.zeros_like(latents)

    @abstractmethod
    def _to_trained_scale(self, latents: Tensor) -> Tensor:
        """From the VAE's latents to the transformer's."""

    @abstractmethod
    def _from_trained_scale(self, latents: Tensor) -> Tensor: ...

    def describe_image(self, original: tuple[int, int], target: tuple[int, int]) -> Conditioning:  # noqa: ARG002
        return {}

    def free_encoders(self) -> None:
        self._text_encoder = self._tokenizer = None
        self._vae.encoder = self._vae.quant_conv = None  # samples need the decoder only

    def enable_gradient_checkpointing(self) -> None:
        self.denoiser.enable_gradient_checkpointing()

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        return self._velocity(noisy, self.schedule.noise_shares[timesteps], conditioning)

    @abstractmethod
    def _velocity(self, noisy: Tensor, sigmas: Tensor, conditioning: Conditioning) -> Tensor:
        """noise - latents as the transformer sees it; `sigmas` (b,) is the share of noise."""

    @torch.no_grad()
    def sample(
        self, conditioning: Conditioning, empty: Conditioning, *, seed: int, resolution: int, steps: int
    ) -> Tensor:
        latents = torch.randn(self._latent_shape(resolution), generator=torch.Generator().manual_seed(seed))
        latents = latents.to(self.denoiser.device)
        sampler = FlowMatchEulerDiscreteScheduler.from_config(self._scheduler_config)
        tokens = resolution**2 // 16**2  # eight pixels a latent, two latents a token
        sampler.set_timesteps(
            sigmas=np.linspace(1, 1 / steps, steps), mu=self._shift(tokens, steps), device=latents.device
        )
        both = {name: torch.cat([empty[name], conditioning[name]]) for name in empty}
        for timestep, sigma in zip(sampler.timesteps, sampler.sigmas[:-1], strict=True):
            velocities = self._velocity(torch.cat([latents, latents]), sigma.expand(2), both)
            without, with_prompt = velocities.float().chunk(2)
            guided = without + self.guidance_scale * (with_prompt - without)
            latents = sampler.step(guided, timestep, latents).prev_sample
        picture: Tensor = self._vae.decode(self._from_trained_scale(latents)).sample[0]
        return (picture / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu()

    @abstractmethod
    def _latent_shape(self, resolution: int) -> tuple[int, int, int, int]:
        """Of one square picture."""

    @abstractmethod
    def _shift(self, tokens: int, steps: int) -> float:
        """How far a picture of so many tokens moves the sampler towards noise (`mu`)."""

    def load_again(self) -> Self:
        again = copy(self)
        again.denoiser = load_part(
            self.transformer_class, self._folder, "transformer", self.denoiser.device, torch_dtype=self._dtype
        )
        return again

    def load_adapter(self, file: Path) -> None:
        state = self.lora_loader.lora_state_dict(str(file.parent), weight_name=file.name)
        self.lora_loader.load_lora_into_transformer(state, transformer=self.denoiser)


def _load_scheduler(folder: Path) -> Any:
    config = read_scheduler_config(folder)
    if config.get("_class_name") != FlowMatchEulerDiscreteScheduler.__name__:
        found = config.get("_class_name")
        raise UnusableBaseModel(f"base model's scheduler is a {found!r}; its noise needs a flow-matching one")
    return FlowMatchEulerDiscreteScheduler.from_config(config)


def _load_chat_tokenizer(folder: Path, vocabulary: int) -> Any:
    tokenizer = load_tokenizer(Qwen2Tokenizer, folder, "tokenizer")
    if not MIN_VOCABULARY <= len(tokenizer) <= vocabulary:
        raise UnusableBaseModel(
            f"base model's tokenizer has {len(tokenizer)} words; its text encoder knows {vocabulary}"
        )
    if not tokenizer.chat_template:
        raise UnusableBaseModel("base model's tokenizer has no chat template, in which prompts are put")
    return tokenizer
