"""The mathematics of one training sample as pure functions of tensors. b = batch, c/h/w = latent channels and sides.

Nothing here keeps state: every draw follows from (seed, purpose, step), so a resumed run sees what a straight run sees.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

PredictionType = Literal["epsilon", "v_prediction", "flow"]


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """At timestep t the model sees signal_shares[t] * latents + noise_shares[t] * noise; more noise as t grows."""

    signal_shares: Tensor  # (timesteps,)
    noise_shares: Tensor  # (timesteps,)
    prediction_type: PredictionType

    @classmethod
    def variance_preserving(cls, alphas_cumprod: Tensor, prediction_type: PredictionType) -> Self:
        """`alphas_cumprod` (timesteps,): share of signal power left; the squares of both shares add up to 1."""
        return cls(alphas_cumprod.sqrt(), (1 - alphas_cumprod).sqrt(), prediction_type)

    @classmethod
    def flow(cls, sigmas: Tensor) -> Self:
        """Flow matching (arXiv:2210.02747): a straight line from latents to noise; `sigmas` (timesteps,) rise to 1."""
        return cls(1 - sigmas, sigmas, "flow")

    def __len__(self) -> int:
        return len(self.signal_shares)

    def signal(self, timesteps: Tensor) -> Tensor:
        """(b, 1, 1, 1)."""
        return self.signal_shares[timesteps].view(-1, 1, 1, 1)

    def noise(self, timesteps: Tensor) -> Tensor:
        """(b, 1, 1, 1)."""
        return self.noise_shares[timesteps].view(-1, 1, 1, 1)

    def signal_to_noise(self, timesteps: Tensor) -> Tensor:
        """Signal power over noise power, (b,)."""
        return (self.signal_shares[timesteps] / self.noise_shares[timesteps]).square()


@dataclass(frozen=True, slots=True)
class Draw:
    """Everything random about one micro-batch."""

    posterior: Tensor  # (b, c, h, w) standard normal: which latent of the image's posterior
    noise: Tensor  # (b, c, h, w) what is added, and what the model has to find again
    timesteps: Tensor  # (b,) whole numbers
    drops_caption: Tensor  # (b,) bool

    def to(self, device: torch.device) -> "Draw":
        """Without waiting for a GPU: it can fetch from pinned memory when it gets there."""
        tensors: tuple[Tensor, ...] = (self.posterior, self.noise, self.timesteps, self.drops_caption)
        if device.type == "cuda":
            tensors = tuple(tensor.pin_memory() for tensor in tensors)
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
    """What the model should predict: the noise, v = signal * noise - noise share * latents, or noise - latents."""
    match schedule.prediction_type:
        case "epsilon":
            return noise
        case "v_prediction":
            return schedule.signal(timesteps) * noise - schedule.noise(timesteps) * latents
        case "flow":
            return noise - latents


def sample_weights(schedule: NoiseSchedule, timesteps: Tensor, min_snr_gamma: float | None) -> Tensor:
    """(b,) min-SNR weights (arXiv:2303.09556): min(snr, gamma) times what turns the error into one of the latents.

    That is 1 / snr for noise and the noise share squared for v and flow. All ones when off.
    """
    snr = schedule.signal_to_noise(timesteps)
    if min_snr_gamma is None:
        return torch.ones_like(snr)
    to_latents = 1 / snr if schedule.prediction_type == "epsilon" else schedule.noise_shares[timesteps].square()
    return snr.clamp(max=min_snr_gamma) * to_latents


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


def averaging_share(step: int, decay: float) -> float:
    """How much of step 1, 2, ...'s weights goes into their running average: more at first, when there is little in it.

    The warm-up (1 + step) / (10 + step) is that of TensorFlow's ExponentialMovingAverage.
    """
    return 1 - min(decay, (1 + step) / (10 + step))
