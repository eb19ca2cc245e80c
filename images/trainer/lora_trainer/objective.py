"""The mathematics of one training sample as pure functions of tensors. b = batch, c/h/w = latent channels and sides.

Nothing here keeps state: every draw follows from (seed, purpose, step), so a resumed run sees what a straight run sees.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

PredictionType = Literal["epsilon", "v_prediction"]


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    alphas_cumprod: Tensor  # (timesteps,) share of signal power left at each timestep
    prediction_type: PredictionType

    def __len__(self) -> int:
        return len(self.alphas_cumprod)

    def signal(self, timesteps: Tensor) -> Tensor:
        """sqrt(alpha_bar) as (b, 1, 1, 1)."""
        return self.alphas_cumprod[timesteps].sqrt().view(-1, 1, 1, 1)

    def noise(self, timesteps: Tensor) -> Tensor:
        """sqrt(1 - alpha_bar) as (b, 1, 1, 1)."""
        return (1 - self.alphas_cumprod[timesteps]).sqrt().view(-1, 1, 1, 1)

    def signal_to_noise(self, timesteps: Tensor) -> Tensor:
        """Signal power over noise power, (b,)."""
        alpha_bar = self.alphas_cumprod[timesteps]
        return alpha_bar / (1 - alpha_bar)


@dataclass(frozen=True, slots=True)
class Draw:
    """Everything random about one micro-batch."""

    posterior: Tensor  # (b, c, h, w) standard normal: which latent of the image's posterior
    noise: Tensor  # (b, c, h, w) what is added, and what the model has to find again
    timesteps: Tensor  # (b,) whole numbers
    drops_caption: Tensor  # (b,) bool

    def to(self, device: torch.device) -> "Draw":
        tensors = (self.posterior, self.noise, self.timesteps, self.drops_caption)
        return Draw(*(tensor.to(device, non_blocking=True) for tensor in tensors))


def generator(seed: int, purpose: str, *indices: int | str) -> torch.Generator:
    """A CPU generator of its own for each (seed, purpose, indices): the same numbers on every device."""
    text = "/".join(str(part) for part in (seed, purpose, *indices))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


def draw(
    source: torch.Generator, shape: torch.Size, *, timesteps: int, noise_offset: float, caption_dropout: float
) -> Draw:
    batch, channels = shape[:2]
    posterior = torch.randn(shape, generator=source)
    noise = torch.randn(shape, generator=source)
    offset = torch.randn((batch, channels, 1, 1), generator=source)
    return Draw(
        posterior=posterior,
        noise=noise + noise_offset * offset,
        timesteps=torch.randint(timesteps, (batch,), generator=source),
        drops_caption=torch.rand(batch, generator=source) < caption_dropout,
    )


def add_noise(schedule: NoiseSchedule, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    return schedule.signal(timesteps) * latents + schedule.noise(timesteps) * noise


def target(schedule: NoiseSchedule, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """What the model should predict: the noise itself, or v = sqrt(alpha_bar) noise - sqrt(1 - alpha_bar) latents."""
    if schedule.prediction_type == "epsilon":
        return noise
    return schedule.signal(timesteps) * noise - schedule.noise(timesteps) * latents


def sample_weights(schedule: NoiseSchedule, timesteps: Tensor, min_snr_gamma: float | None) -> Tensor:
    """(b,) min-SNR weights (arXiv:2303.09556): min(snr, gamma) / snr for noise, / (snr + 1) for v; 1 when off."""
    snr = schedule.signal_to_noise(timesteps)
    if min_snr_gamma is None:
        return torch.ones_like(snr)
    divisor = snr if schedule.prediction_type == "epsilon" else snr + 1
    return snr.clamp(max=min_snr_gamma) / divisor


def squared_error(prediction: Tensor, wanted: Tensor) -> Tensor:
    """(b,) mean squared error of each sample, in float32."""
    return (prediction.float() - wanted.float()).square().mean(dim=(1, 2, 3))


def learning_rate(step: int, *, peak: float, kind: str, warmup: int, steps: int) -> float:
    """The rate used by step 1..steps: a pure function, so there is no scheduler state to save."""
    if kind == "constant":
        return peak
    if step <= warmup:
        return peak * step / warmup
    if kind == "constant_with_warmup":
        return peak
    progress = (step - 1 - warmup) / max(1, steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))
