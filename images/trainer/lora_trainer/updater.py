"""From a row's gradient to its next values; but for eight bits by tensor operations alone, which a graph can hold."""

import importlib.util
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import Parameter

from lora_trainer.weights import gradient_of

WEIGHT_DECAY = 1e-2


class Updater(Protocol):
    state: dict[str, Tensor]  # all that it remembers, each tensor for good at its address

    def update(self) -> None:
        """Change the row by its gradient."""

    def reset(self) -> None:
        """Forget everything; the row's present values are the start."""

    def step_size(self, rate: float) -> float | Tensor:
        """What people call the learning rate, for a scheduled `rate`."""


class AdamW:
    """torch's own (arXiv:1711.05101), fused into one kernel; `rate` is a tensor, so that a graph sees it change."""

    def __init__(self, row: Parameter, rate: Tensor) -> None:
        self._inner = torch.optim.AdamW([row], lr=rate, weight_decay=WEIGHT_DECAY, fused=True, capturable=row.is_cuda)
        self.state = {
            "step": torch.zeros((), device=row.device),
            "exp_avg": torch.zeros_like(row),
            "exp_avg_sq": torch.zeros_like(row),
        }
        self._inner.state[row] = self.state

    def update(self) -> None:
        self._inner.step()

    def reset(self) -> None:
        for tensor in self.state.values():
            tensor.zero_()

    def step_size(self, rate: float) -> float:
        return rate


class AdamW8bit:
    """bitsandbytes' (arXiv:2110.02861): a quarter of AdamW's memory, both averages in eight bits and blocks of 256.

    It waits for the GPU in every step and counts on the host, so no graph can hold it.
    """

    LIBRARY = "bitsandbytes"

    def __init__(self, row: Parameter, rate: Tensor) -> None:
        library: Any = importlib.import_module(f"{self.LIBRARY}.optim")
        self._inner = library.AdamW8bit([row], weight_decay=WEIGHT_DECAY)
        self._group = self._inner.param_groups[0]
        self._inner.init_state(self._group, row, 0, 0)
        self._known = self._inner.state[row]
        self._rate = rate
        kept = ("state1", "state2", "absmax1", "absmax2")  # short rows have the first two alone, in float32
        self.state = {name: self._known[name] for name in kept if name in self._known}
        self.state["step"] = torch.zeros((), device=row.device)

    def update(self) -> None:
        self._group["lr"] = float(self._rate)
        self._known["step"] = int(self.state["step"])
        self._inner.step()
        self.state["step"].add_(1)

    def reset(self) -> None:
        for tensor in self.state.values():
            tensor.zero_()

    def step_size(self, rate: float) -> float:
        return rate


def has_eight_bits(device: torch.device) -> bool:
    """Whether AdamW8bit would work here; the library's own part for CPUs is not counted on."""
    return device.type == "cuda" and importlib.util.find_spec(AdamW8bit.LIBRARY) is not None


class Prodigy:
    """AdamW that finds its step size itself (arXiv:2306.06101, algorithm 4): d grows with the distance travelled.

    `rate` multiplies d; the paper's is 1. Weight decay is decoupled, by rate * d.
    """

    FIRST_DISTANCE = 1e-6
    DECAYS = (0.9, 0.999)
    EPSILON = 1e-8

    def __init__(self, row: Parameter, rate: Tensor) -> None:
        self._row = row
        self._rate = rate
        number = torch.zeros((), device=row.device)
        vector = torch.zeros_like(row)
        self.state = {
            "distance": number.clone(),
            "numerator": number.clone(),
            "denominator": vector.clone(),
            "start": vector.clone(),
            "exp_avg": vector.clone(),
            "exp_avg_sq": vector.clone(),
        }
        self.reset()

    @torch.no_grad()
    def update(self) -> None:
        state, gradient = self.state, gradient_of(self._row)
        distance, first, second = state["distance"], *self.DECAYS
        slow = second**0.5
        weight = (1 - slow) * self._rate * distance.square()
        state["numerator"].mul_(slow).add_(weight * torch.dot(gradient, state["start"] - self._row))
        state["denominator"].mul_(slow).add_(weight * gradient)
        state["exp_avg"].mul_(first).add_((1 - first) * distance * gradient)
        state["exp_avg_sq"].mul_(second).add_((1 - second) * (distance * gradient).square())
        size = self._rate * distance
        change = state["exp_avg"] / (state["exp_avg_sq"].sqrt() + distance * self.EPSILON)
        self._row.sub_(size * (change + WEIGHT_DECAY * self._row))
        # Without any gradient both are zero; then the distance stays.
        found = state["numerator"] / state["denominator"].abs().sum().clamp(min=torch.finfo(torch.float32).tiny)
        distance.copy_(torch.maximum(distance, found))

    @torch.no_grad()
    def reset(self) -> None:
        for tensor in self.state.values():
            tensor.zero_()
        self.state["distance"].fill_(self.FIRST_DISTANCE)
        self.state["start"].copy_(self._row)

    def step_size(self, rate: float) -> Tensor:
        return rate * self.state["distance"]


def build_updater(kind: str, row: Parameter, rate: Tensor) -> Updater:
    kinds: dict[str, type[AdamW | AdamW8bit | Prodigy]] = {"adamw8bit": AdamW8bit, "prodigy": Prodigy}
    return kinds.get(kind, AdamW)(row, rate)


@torch.no_grad()
def load(updater: Updater, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in updater.state.items():
        tensor.copy_(tensors[name])
