"""Settings that suit a dataset, each with its reason. Pure.

Sources: Hu et al., LoRA, arXiv:2106.09685 (small ranks carry far); Biderman et al., LoRA Learns Less and Forgets Less,
arXiv:2405.09673 (more data asks for a higher rank); Ruiz et al., DreamBooth, arXiv:2208.12242, and the experiments of
huggingface.co/blog/dreambooth (too many steps overfit, prior preservation counters it for few pictures, faces above
all). The steps are those of the dataset's report.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.dataset import DatasetItem
from orchestrator.domain.dataset_report import FEW_ITEMS, recommended_steps
from orchestrator.domain.training import TrainingConfig, TrainingType, options

_RANKS = ((FEW_ITEMS, 8), (100, 16))  # below so many pictures, this rank
_HIGHEST_RANK = 32
_VALIDATIONS = 10
_ENOUGH_TO_VALIDATE = 20  # pictures; fewer held out say little
_SIDE_STEP = 64


@dataclass(frozen=True, slots=True)
class Recommendation:
    option: str
    value: Any
    reason: str


def recommendations(
    items: Sequence[DatasetItem],
    *,
    type: TrainingType,  # noqa: A002 - the contract's word
    config: TrainingConfig,
) -> list[Recommendation]:
    """For training on these items, the ones that pass the gates; where `config` has such a value already, none."""
    if not items:
        return []
    found = [*_size(items, config), *_resolution(items, config), *_watching(items, config), *_prior(items, type)]
    return [each for each in found if getattr(config, each.option) != each.value]


def _size(items: Sequence[DatasetItem], config: TrainingConfig) -> Iterator[Recommendation]:
    count = len(items)
    images = config.batch_size * config.gradient_accumulation_steps
    bounds = options()["steps"][1]
    steps = max(int(bounds.minimum or 0), math.ceil(recommended_steps(count) / images))
    seen = f"Each of {count} pictures is then seen {steps * images / count:.0f} times"
    yield Recommendation("steps", steps, f"{seen}; far fewer leave it unlearned, far more have it learned by heart.")
    rank = next((rank for below, rank in _RANKS if count < below), _HIGHEST_RANK)
    yield Recommendation("lora_rank", rank, f"{count} pictures hold about as much as an adapter of this size.")
    yield Recommendation(
        "lora_alpha", 2 * rank, "Twice the rank keeps the strength that the default learning rate is meant for."
    )


def _resolution(items: Sequence[DatasetItem], config: TrainingConfig) -> Iterator[Recommendation]:
    """A lower one only: whether a base model can do more than it was asked for is not known here."""
    side = statistics.median(math.sqrt(item.width * item.height) for item in items)
    fitting = max(int(options()["resolution"][1].minimum or 0), int(side) // _SIDE_STEP * _SIDE_STEP)
    if fitting < config.resolution:
        wanted = f"{config.resolution} x {config.resolution}"
        reason = f"Half of the pictures have fewer than {wanted} pixels; enlarged they teach blur."
        yield Recommendation("resolution", fitting, reason)


def _watching(items: Sequence[DatasetItem], config: TrainingConfig) -> Iterator[Recommendation]:
    _, held_out = config.train_val_counts(len(items))
    if len(items) >= _ENOUGH_TO_VALIDATE and held_out and config.validation_every is None:
        every = max(1, config.steps // _VALIDATIONS)
        reason = f"The loss on {held_out} held-out pictures shows when learning by heart begins."
        yield Recommendation("validation_every", every, reason)


def _prior(items: Sequence[DatasetItem], type: TrainingType) -> Iterator[Recommendation]:  # noqa: A002 - the contract's word
    if type is TrainingType.DREAMBOOTH and len(items) < _ENOUGH_TO_VALIDATE:
        reason = f"{len(items)} pictures of one subject make the model forget its class; it also needs class_prompt."
        yield Recommendation("prior_preservation", value=True, reason=reason)
