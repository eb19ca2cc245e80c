"""The trainable part: low-rank pairs beside the frozen linear layers (LoRA, arXiv:2106.09685)."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lora_trainer.families.family import Family
from lora_trainer.objective import generator
from lora_trainer.weights import Shape, Weights


@dataclass(frozen=True, slots=True)
class Pair:
    """One adapted layer acts as base(x) + alpha / rank * up(down(x))."""

    module: str  # dotted path in the denoiser
    down: nn.Parameter  # (rank, in features), float32
    up: nn.Parameter  # (out features, rank), float32


class LoRALinear(nn.Linear):
    """The base layer with its pair: one product for `down`, one fused product and sum for `up`, and no casts.

    It keeps the base's own weight under its own name, so what reads the denoiser's weights sees nothing new.
    """

    def __init__(self, base: nn.Linear, masters: Pair, working: Pair, strength: float) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = base.in_features, base.out_features
        self.weight, self.bias = base.weight, base.bias
        # Within pairs they are out of the module's sight: what casts the base leaves the adapter as it is.
        self._masters = masters
        self._working = working
        self._strength = strength

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name for it
        pair = self._masters if self.weight.dtype == torch.float32 else self._working
        plain = linear(input, self.weight, self.bias)
        inner = input.reshape(-1, self.in_features) @ pair.down.T
        return torch.addmm(plain.view(-1, self.out_features), inner, pair.up.T, alpha=self._strength).view(plain.shape)


@dataclass(frozen=True, slots=True)
class Adapter:
    pairs: list[Pair]
    weights: Weights

    @torch.no_grad()
    def initialise(self, seed: int) -> None:
        """`up` starts at zero, so the model first acts as its base does; `down` as a linear layer of torch does."""
        for pair in self.pairs:
            bound = pair.down.shape[1] ** -0.5
            values = torch.rand(pair.down.shape, generator=generator(seed, "adapter", pair.module))
            pair.down.copy_((2 * values - 1) * bound)
            pair.up.zero_()
        self.weights.refresh()


def attach(family: Family, *, rank: int, alpha: int, seed: int) -> Adapter:
    """Put fresh pairs into the denoiser, one at each layer that the family names."""
    denoiser = family.denoiser
    layers = {
        name: layer
        for name, layer in denoiser.named_modules()
        if type(layer) is nn.Linear and re.fullmatch(family.target_modules, name)
    }
    shapes: dict[str, Shape] = {}
    for name, layer in layers.items():
        shapes |= {f"{name}.down": (rank, layer.in_features), f"{name}.up": (layer.out_features, rank)}
    weights = Weights(shapes, device=denoiser.device, dtype=denoiser.dtype)
    adapter = Adapter([_pair(name, weights.masters) for name in layers], weights)
    for pair in adapter.pairs:
        working = _pair(pair.module, weights.working)
        denoiser.set_submodule(pair.module, LoRALinear(layers[pair.module], pair, working, alpha / rank))
    adapter.initialise(seed)
    return adapter


def _pair(name: str, tensors: dict[str, nn.Parameter]) -> Pair:
    return Pair(name, tensors[f"{name}.down"], tensors[f"{name}.up"])
