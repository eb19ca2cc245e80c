"""The trainable part: low-rank pairs beside the frozen linear layers (LoRA, arXiv:2106.09685)."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lora_trainer.families.family import Family, Network
from lora_trainer.objective import generator
from lora_trainer.weights import Shape, Weights


@dataclass(frozen=True, slots=True)
class Pair:
    """One adapted layer acts as base(x) + alpha / rank * up(down(x))."""

    network: Network
    module: str  # dotted path in the network
    down: nn.Parameter  # (rank, in features), float32
    up: nn.Parameter  # (out features, rank), float32

    @property
    def name(self) -> str:
        return self.network.diffusers_key(self.module)


class LoRALinear(nn.Linear):
    """The base layer with its pair: one product for `down`, one fused product and sum for `up`, and no casts.

    It keeps the base's own weight under its own name, so what reads the network's weights sees nothing new.
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
    """Put fresh pairs into the family's networks, one at each layer that these name."""
    layers = [(network, path, layer) for network in family.networks for path, layer in _targets(network)]
    shapes: dict[str, Shape] = {}
    for network, path, layer in layers:
        name = network.diffusers_key(path)
        shapes |= {f"{name}.down": (rank, layer.in_features), f"{name}.up": (layer.out_features, rank)}
    weights = Weights(shapes, device=family.denoiser.device, dtype=family.denoiser.dtype)
    adapter = Adapter([_pair(network, path, weights.masters) for network, path, _ in layers], weights)
    for pair, (network, path, layer) in zip(adapter.pairs, layers, strict=True):
        lean = LoRALinear(layer, pair, _pair(network, path, weights.working), alpha / rank)
        network.model.set_submodule(path, lean)
    adapter.initialise(seed)
    return adapter


def _targets(network: Network) -> list[tuple[str, nn.Linear]]:
    return [
        (path, layer)
        for path, layer in network.model.named_modules()
        if type(layer) is nn.Linear and re.fullmatch(network.target_modules, path)
    ]


def _pair(network: Network, path: str, tensors: dict[str, nn.Parameter]) -> Pair:
    name = network.diffusers_key(path)
    return Pair(network, path, tensors[f"{name}.down"], tensors[f"{name}.up"])
