"""From a row's gradient to its next values, by tensor operations alone: a CUDA graph can hold them."""

from collections.abc import Mapping
from typing import Protocol

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
    return Prodigy(row, rate) if kind == "prodigy" else AdamW(row, rate)


@torch.no_grad()
def load(updater: Updater, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in updater.state.items():
        tensor.copy_(tensors[name])
