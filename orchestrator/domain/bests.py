"""The best that training has come to: of each loss the lowest, and when that was. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.domain.events import Metric
from orchestrator.domain.job import Progress

_LOSSES = ("loss", "val_loss")
_CHECKPOINT_PREFIX = "step-"


def with_bests(progress: Progress, metrics: Iterable[Metric]) -> Progress:
    """`progress` with what `metrics` have lower than it knew. Of two that are as low the earlier stands."""
    bests: dict[str, Any] = {}
    for metric in metrics:
        for loss in _LOSSES:
            value, best = getattr(metric, loss), f"best_{loss}"
            known = bests.get(best, getattr(progress, best))
            if value is not None and (known is None or value < known):
                bests |= {best: value, f"{best}_step": metric.step}
    return replace(progress, **bests) if bests else progress


def nearest_checkpoint(names: Sequence[str], step: int | None) -> str | None:
    """The one saved nearest to a step, by its folder's name; of two as near the earlier in `names`."""
    if step is None or not names:
        return None
    return min(names, key=lambda name: abs(_step_of(name) - step))


def _step_of(checkpoint: str) -> int:
    digits = checkpoint.removeprefix(_CHECKPOINT_PREFIX)
    return int(digits) if digits.isdecimal() else 0
