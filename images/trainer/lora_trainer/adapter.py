"""The trainable part: low-rank pairs that peft puts beside the frozen linear layers."""

from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.nn import Parameter

from lora_trainer.families.family import Family

NAME = "default"


@dataclass(frozen=True, slots=True)
class Pair:
    """One adapted layer acts as base(x) + alpha / rank * up(down(x))."""

    module: str  # dotted path in the denoiser
    down: Parameter  # (rank, in features)
    up: Parameter  # (out features, rank)


def attach(family: Family, *, rank: int, alpha: int, seed: int) -> list[Pair]:
    """Add fresh pairs to the denoiser. `up` starts at zero, so the model first acts as its base does."""
    torch.manual_seed(seed)  # peft initialises from the global generator, the only place where that one is used
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=family.target_modules)
    family.denoiser.add_adapter(config, adapter_name=NAME)
    found = pairs(family.denoiser)
    for pair in found:
        pair.down.data = pair.down.data.float()  # masters are float32 whatever the base is
        pair.up.data = pair.up.data.float()
    return found


def pairs(denoiser: Any) -> list[Pair]:
    layers = ((name, module) for name, module in denoiser.named_modules() if isinstance(module, LoraLayer))
    return [Pair(name, layer.lora_A[NAME].weight, layer.lora_B[NAME].weight) for name, layer in layers]


def named_parameters(adapter: list[Pair]) -> dict[str, Parameter]:
    """Every trained tensor by a stable name, in a stable order."""
    down = {f"{pair.module}.down": pair.down for pair in adapter}
    return dict(sorted((down | {f"{pair.module}.up": pair.up for pair in adapter}).items()))


def snapshot(parameters: dict[str, Parameter]) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in parameters.items()}


@torch.no_grad()
def restore(parameters: dict[str, Parameter], tensors: dict[str, Tensor]) -> None:
    for name, parameter in parameters.items():
        parameter.copy_(tensors[name])
