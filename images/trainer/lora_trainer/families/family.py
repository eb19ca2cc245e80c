"""What the training code needs from a model family; everything that differs between families is behind this."""

from pathlib import Path
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from lora_trainer.objective import NoiseSchedule

# What the model is told besides the noisy latents, by name; the first dimension of each tensor is the sample.
Conditioning = dict[str, Tensor]


class Family(Protocol):
    denoiser: Any  # the network that carries the adapter (UNet, transformer)
    schedule: NoiseSchedule
    target_modules: str  # pattern that the whole path of a linear layer matches if it gets an adapter pair
    diffusers_prefix: str  # of the denoiser's keys in a diffusers adapter file
    architecture: str  # modelspec name of an adapter for this family
    kohya_base_model_version: str

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype) -> Self: ...

    def encode_prompts(self, prompts: list[str]) -> Conditioning: ...

    def encode_image(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of one picture's latents: (3, h, w) -> two of (c, h/f, w/f), as trained on."""

    def describe_image(self, original: tuple[int, int], target: tuple[int, int]) -> Conditioning:
        """Conditioning of one picture by its own size; widths and heights before and after the centre crop."""

    def free_encoders(self) -> None:
        """Give back the memory that only `encode_prompts` and `encode_image` need; both are gone afterwards."""

    def predict(self, denoiser: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        """What `schedule.prediction_type` says, in the shape of `noisy`; `timesteps` (b,) index the schedule."""

    def sample(
        self, denoiser: Any, conditioning: Conditioning, empty: Conditioning, *, seed: int, resolution: int, steps: int
    ) -> Tensor:
        """One picture (h, w, 3) in 0..1 on the CPU, made with the resident modules and a generator of its own."""

    def load_denoiser(self) -> Any:
        """A second, untouched copy from disk."""

    def load_adapter(self, denoiser: Any, file: Path) -> None:
        """Attach an adapter file the way its users do: through diffusers' own loader."""

    def kohya_key(self, module: str) -> str:
        """Name of a denoiser's layer in the main adapter file, as ComfyUI and diffusers read it.

        Layers of one name are parts of one fused layer there, its rows in the denoiser's order.
        """
