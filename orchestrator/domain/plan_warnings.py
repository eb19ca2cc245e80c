"""What speaks against a submission that may be made all the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.dataset import DatasetItem
from orchestrator.domain.job import Job
from orchestrator.domain.resources import DiskNeed, MemoryNeed
from orchestrator.domain.training import TrainingType

_MEGA, _GIGA = 1000**2, 1000**3


class WarningCode(StrEnum):
    DISK_SHORT = "disk_short"
    MEMORY_SHORT = "memory_short"
    MEMORY_IN_USE = "memory_in_use"
    NOTHING_TO_CALL_IT_BY = "nothing_to_call_it_by"
    CAPTIONS_MISSING = "captions_missing"
    WARMUP_NEVER_ENDS = "warmup_never_ends"


@dataclass(frozen=True, slots=True)
class PlanWarning:
    code: WarningCode
    message: str
    field: str | None = None  # that would mend it, as the client writes it


def plan_warnings(
    job: Job, items: Sequence[DatasetItem], *, disk: DiskNeed, memory: MemoryNeed | None
) -> list[PlanWarning]:
    """`items`: those that it would train on."""
    return [*_of_the_disk(disk), *_of_the_memory(memory), *_of_the_words(job, items), *_of_the_rate(job)]


def _of_the_disk(disk: DiskNeed) -> Iterator[PlanWarning]:
    if disk.fits is False and disk.needed_bytes is not None:
        message = f"It may take {_size(disk.needed_bytes)} of disk, and {_size(disk.free_bytes)} are free."
        yield PlanWarning(WarningCode.DISK_SHORT, message, "config.keep_checkpoints")


def _of_the_memory(memory: MemoryNeed | None) -> Iterator[PlanWarning]:
    if memory is None:
        return
    needed = f"{'Jobs like it took' if memory.is_measured else 'The weights alone take'} {_size(memory.needed_bytes)}"
    if memory.fits is False and memory.total_bytes is not None:
        message = f"{needed} of GPU memory, and the smallest GPU here has {_size(memory.total_bytes)}."
        yield PlanWarning(WarningCode.MEMORY_SHORT, message, "base_model")
    elif memory.is_crowded_out and memory.free_bytes is not None:
        message = f"{needed} of GPU memory, and something else leaves {_size(memory.free_bytes)} of it free."
        yield PlanWarning(WarningCode.MEMORY_IN_USE, message)


def _of_the_words(job: Job, items: Sequence[DatasetItem]) -> Iterator[PlanWarning]:
    silent = sum(not item.caption for item in items)
    if not job.trigger_words and (silent == len(items) or job.type is TrainingType.DREAMBOOTH):
        message = "There are no trigger words to call the subject by, and the trainer of this project refuses that."
        yield PlanWarning(WarningCode.NOTHING_TO_CALL_IT_BY, message, "trigger_words")
    elif 0 < silent < len(items) and job.type is TrainingType.LORA:
        message = f"{silent} of {len(items)} pictures have no caption: they teach the trigger words alone."
        yield PlanWarning(WarningCode.CAPTIONS_MISSING, message)


def _of_the_rate(job: Job) -> Iterator[PlanWarning]:
    config = job.training_config
    if config.lr_scheduler != "constant" and config.lr_warmup_steps >= config.steps:
        message = f"The learning rate warms up for {config.lr_warmup_steps} steps, and the run has {config.steps}."
        yield PlanWarning(WarningCode.WARMUP_NEVER_ENDS, message, "config.lr_warmup_steps")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / _GIGA:.1f} GB" if size_bytes >= _GIGA else f"{size_bytes / _MEGA:.0f} MB"
