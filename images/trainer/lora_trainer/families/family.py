"""What the training code needs from a model family; everything that differs between families is behind this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from lora_trainer.objective import NoiseSchedule

# What the model is told besides the noisy latents, by name; the first dimension of each tensor is the sample.
Conditioning = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Network:
    """One of a family's networks that carry the adapter."""

    model: Any
    target_modules: str  # pattern that the whole path of a linear layer matches if it gets an adapter pair
    diffusers_prefix: str  # of its layers' keys in a diffusers adapter file
    # Name of a layer in the main adapter file, as ComfyUI and diffusers read it. Layers of one name are parts of one
    # fused layer there, its rows in the network's order.
    kohya_key: Callable[[str], str]

    def diffusers_key(self, module: str) -> str:
        """Name of a layer in a diffusers adapter file, by which it is known among those of all networks."""
        return f"{self.diffusers_prefix}.{module}"


class Family(Protocol):
    denoiser: Any  # the network that predicts (UNet, transformer)
    schedule: NoiseSchedule
    architecture: str  # modelspec name of an adapter for this family
    kohya_base_model_version: str
    adapts_text: bool  # whether the adapter changes the text encoders too; prompts are then kept as their tokens

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype, adapts_text: bool = False) -> Self:
        """`adapts_text` only of families whose `FamilyEntry` allows it."""

    @property
    def networks(self) -> Sequence[Network]:
        """Every network that gets pairs, the denoiser first: the one place that knows."""

    def encode_prompts(self, prompts: list[str]) -> Conditioning:
        """What the denoiser is told of each prompt; with `adapts_text` the tokens that `predict` reads it from anew."""

    def encode_image(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of one picture's latents: (3, h, w) -> two of (c, h/f, w/f), as trained on."""

    def describe_image(self, original: tuple[int, int], target: tuple[int, int]) -> Conditioning:
        """Conditioning of one picture by its own size; widths and heights before and after the centre crop."""

    def free_encoders(self) -> None:
        """Give back the memory that only `encode_prompts` and `encode_image` need; both are gone afterwards."""

    def enable_gradient_checkpointing(self) -> None:
        """Recompute activations of every network that gets pairs (arXiv:1604.06174), once they are in training mode."""

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        """What `schedule.prediction_type` says, in the shape of `noisy`; `timesteps` (b,) index the schedule."""

    def sample(
        self, conditioning: Conditioning, empty: Conditioning, *, seed: int, resolution: int, steps: int
    ) -> Tensor:
        """One picture (h, w, 3) in 0..1 on the CPU, made with the resident modules and a generator of its own."""

    def load_again(self) -> Self:
        """The same family with a second copy from disk, untouched, of every network that gets pairs."""

    def load_adapter(self, file: Path) -> None:
        """Attach an adapter file the way its users do: through diffusers' own loader."""
