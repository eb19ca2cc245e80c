"""What a job will take of the disk and of a GPU's memory, against what there is. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.domain.model import CatalogueEntry
from orchestrator.domain.training import TrainingConfig

_ADAPTER_FILES = 2  # in kohya's format and in diffusers'
_COPIES = 2  # in the outputs, until retention takes them away, and collected
_PIXEL_BYTES = 3  # a picture takes no more, however little in it can be packed
# What optimizers remember, in rows as long as the adapter's own; eight bits go with a scale for each block.
_OPTIMIZER_ROWS = {"adamw": 2.0, "adamw8bit": 0.52, "prodigy": 4.0}


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Of one GPU, as its driver says; what is not free may be another program's."""

    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskNeed:
    """At the most, while the job runs and until its outputs are cleaned away. None: nobody knows."""

    model_bytes: int | None  # of a base model that is fetched first
    checkpoint_bytes: int | None
    adapter_bytes: int | None
    sample_bytes: int
    free_bytes: int  # where all of it goes

    @property
    def needed_bytes(self) -> int | None:
        parts = (self.model_bytes, self.checkpoint_bytes, self.adapter_bytes, self.sample_bytes)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    @property
    def fits(self) -> bool | None:
        return None if self.needed_bytes is None else self.needed_bytes <= self.free_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Of each GPU the job holds."""

    needed_bytes: int
    is_measured: bool  # at the peak of jobs like it; else the model's weights alone, and activations come on top
    total_bytes: int | None = None  # of the smallest GPU here: a job may be given any
    free_bytes: int | None = None  # now, on the fullest that no job holds; None while jobs hold all

    @property
    def fits(self) -> bool | None:
        """None: nobody knows. Weights that fit say nothing of the activations."""
        if self.total_bytes is None:
            return None
        if self.needed_bytes > self.total_bytes:
            return False
        return True if self.is_measured else None

    @property
    def is_crowded_out(self) -> bool:
        """Whether it would fit, were it not for what else is in the memory now."""
        return self.fits is not False and self.free_bytes is not None and self.needed_bytes > self.free_bytes


def disk_need(config: TrainingConfig, entry: CatalogueEntry, *, is_here: bool, free_bytes: int) -> DiskNeed:
    """`is_here`: the base model needs no fetching."""
    adapter = _adapter_bytes(config, entry)
    return DiskNeed(
        model_bytes=0 if is_here or not entry.is_fetchable else entry.size_bytes,
        checkpoint_bytes=_whole(adapter, _COPIES * _kept(config) * _checkpoint_rows(config)),
        adapter_bytes=_whole(adapter, _COPIES * _ADAPTER_FILES),
        sample_bytes=_COPIES * _samples(config) * config.resolution**2 * _PIXEL_BYTES,
        free_bytes=free_bytes,
    )


def memory_need(
    measured_bytes: int | None,
    weight_bytes: int | None,
    memory: Mapping[str, DeviceMemory],
    *,
    held: Collection[str],
) -> MemoryNeed | None:
    """`measured_bytes` of jobs like it, `weight_bytes` of its base model, `memory` by GPU. None: neither is known."""
    needed = measured_bytes if measured_bytes is not None else weight_bytes
    if needed is None:
        return None
    return MemoryNeed(
        needed_bytes=needed,
        is_measured=measured_bytes is not None,
        total_bytes=min((each.total_bytes for each in memory.values()), default=None),
        free_bytes=min((each.free_bytes for device, each in memory.items() if device not in held), default=None),
    )


def _adapter_bytes(config: TrainingConfig, entry: CatalogueEntry) -> int | None:
    """Every matrix of an adapter has the rank as one of its sides."""
    a_rank = entry.text_adapter_bytes if config.text_encoder_lora else entry.adapter_bytes
    return None if a_rank is None else a_rank * config.lora_rank


def _checkpoint_rows(config: TrainingConfig) -> float:
    """How many times the adapter's numbers stand in one checkpoint: in its state and in its adapter file."""
    average, best = config.ema_decay is not None, config.early_stopping_patience is not None
    return 2 + _OPTIMIZER_ROWS[config.optimizer] + average + best


def _kept(config: TrainingConfig) -> int:
    return min(config.keep_checkpoints, math.ceil(config.steps / config.checkpoint_every))


def _samples(config: TrainingConfig) -> int:
    """Pictures: before the first step, on the way, at the end."""
    on_the_way = math.ceil(config.steps / config.sample_every) if config.sample_every else 1
    return (1 + on_the_way) * max(1, len(config.sample_prompts))


def _whole(size_bytes: int | None, factor: float) -> int | None:
    return None if size_bytes is None else math.ceil(size_bytes * factor)
