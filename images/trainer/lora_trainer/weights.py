"""Everything that is trained, in one row of numbers.

One row, because a copy, a norm or an optimizer step is then one operation, and not one for each of a thousand tensors.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Parameter

Shape = tuple[int, ...]


class Weights:
    """Named tensors twice: `masters` in float32, which are trained, and `working`, which the network computes with.

    In float32 both are the same tensors. Gradients of either lie in rows too, and are added up in `row.grad`.
    """

    def __init__(self, shapes: Mapping[str, Shape], *, device: torch.device, dtype: torch.dtype) -> None:
        count = sum(math.prod(shape) for shape in shapes.values())
        self.row = _row(count, device, torch.float32)
        self.masters = _views(self.row, shapes)
        self._working_row = self.row if dtype == torch.float32 else _row(count, device, dtype)
        self.working = self.masters if self._working_row is self.row else _views(self._working_row, shapes)

    @torch.no_grad()
    def refresh(self) -> None:
        """Bring `working` up to date; due whenever the masters have changed."""
        if self._working_row is not self.row:
            self._working_row.copy_(self.row)

    def forget_gradients(self) -> None:
        for row in {self.row, self._working_row}:
            gradient_of(row).zero_()

    def gather_gradients(self) -> None:
        """Add what `working` has got since the last call to `row.grad`, in float32."""
        if self._working_row is not self.row:
            fresh = gradient_of(self._working_row)
            gradient_of(self.row).add_(fresh)
            fresh.zero_()

    def snapshot(self) -> dict[str, Tensor]:
        return {name: master.detach().clone() for name, master in self.masters.items()}

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, master in self.masters.items():
            master.copy_(tensors[name])
        self.refresh()

    @contextmanager
    def showing(self, row: Tensor) -> Iterator[None]:
        """Within, the network has these weights instead of its own."""
        own = self.row.detach().clone()
        self._set(row)
        try:
            yield
        finally:
            self._set(own)

    @torch.no_grad()
    def _set(self, row: Tensor) -> None:
        self.row.copy_(row)
        self.refresh()


def gradient_of(row: Parameter) -> Tensor:
    if row.grad is None:
        raise RuntimeError("the gradient's row was taken away")
    return row.grad


def _row(count: int, device: torch.device, dtype: torch.dtype) -> Parameter:
    row = Parameter(torch.zeros(count, device=device, dtype=dtype))
    row.grad = torch.zeros_like(row)
    return row


def _views(row: Parameter, shapes: Mapping[str, Shape]) -> dict[str, Parameter]:
    """Leaves of the graph that share the row's memory. Backward adds to a gradient that is there in place."""
    views, start = {}, 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        view = Parameter(row.detach()[start:stop].view(shape))
        view.grad = gradient_of(row)[start:stop].view(shape)
        views[name], start = view, stop
    return views
