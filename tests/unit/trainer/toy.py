"""A family small enough to follow by hand, and pictures for it."""

from __future__ import annotations

import numpy as np
import torch

from lora_trainer.cache import Encoded, Shelf
from lora_trainer.objective import NoiseSchedule, generator
from lora_trainer.weights import Weights

BETAS = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
ALPHA_BARS = np.cumprod(1 - BETAS)
SIGMAS = np.arange(1, 1001) / 1000


def schedule(kind="epsilon"):
    if kind == "flow":
        return NoiseSchedule.flow(torch.tensor(SIGMAS, dtype=torch.float32))
    return NoiseSchedule.variance_preserving(torch.tensor(ALPHA_BARS, dtype=torch.float32), kind)


class Toy:
    """Its whole network is one number: prediction = w * noisy + text."""

    def __init__(self, kind="epsilon", weight=0.5):
        self.schedule = schedule(kind)
        self.weights = Weights({"w": (1,)}, device=torch.device("cpu"), dtype=torch.float32)
        self.weights.restore({"w": torch.tensor([weight])})
        self.denoiser = self.weights.working["w"]

    def predict(self, noisy, _timesteps, conditioning):
        return self.denoiser * noisy + conditioning["text"].mean(dim=(1, 2)).view(-1, 1, 1, 1)


def toy_data(count=4, *, seed=2, variants=1, sizes=None):
    """Pictures, each with a prompt of its own, `sizes` of each shape; a mirrored one is ten times as bright."""
    sizes = sizes or (count,)
    shelves = [_shelf(index, size, sum(sizes[:index]), seed, variants) for index, size in enumerate(sizes)]
    return Encoded(tuple(shelves), {"text": torch.arange(sum(sizes) * 6.0).view(-1, 2, 3)})


def _shelf(index, size, start, seed, variants):
    brightness = torch.tensor([1.0, 10.0])[:variants].view(1, -1, 1, 1, 1)
    mean = brightness * torch.randn(size, 1, 4, 8, 8 + 2 * index, generator=generator(seed + index, "x"))
    places = range(start, start + size)
    return Shelf(mean, torch.full_like(mean, 0.1), tuple(places), {}, tuple(str(place) for place in places))
