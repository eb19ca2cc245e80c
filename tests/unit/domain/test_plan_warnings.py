"""What speaks against a submission that may be made all the same."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.plan_warnings import WarningCode, plan_warnings
from orchestrator.domain.resources import DiskNeed, MemoryNeed
from orchestrator.domain.training import TrainingConfig, TrainingType
from tests.factories import make_item, make_job

GB = 1000**3
ROOM = DiskNeed(model_bytes=0, checkpoint_bytes=GB, adapter_bytes=GB, sample_bytes=0, free_bytes=10 * GB)
CAPTIONED = [make_item("dataset", caption="a cat")]


def told(items: Any = CAPTIONED, disk: DiskNeed = ROOM, memory: MemoryNeed | None = None, **job: Any) -> dict[str, str]:
    wanted = make_job(**{"type": TrainingType.LORA, "trigger_words": ("sks",)} | job)
    return {each.code: each.message for each in plan_warnings(wanted, items, disk=disk, memory=memory)}


def test_nothing_speaks_against_a_job_that_fits_and_has_words() -> None:
    memory = MemoryNeed(needed_bytes=GB, is_measured=True, total_bytes=8 * GB, free_bytes=7 * GB)
    assert told(memory=memory) == {}


def test_a_disk_that_may_fill_up_is_told_with_both_figures() -> None:
    short = DiskNeed(model_bytes=0, checkpoint_bytes=9 * GB, adapter_bytes=GB, sample_bytes=0, free_bytes=3 * GB)
    assert told(disk=short) == {WarningCode.DISK_SHORT: "It may take 10.0 GB of disk, and 3.0 GB are free."}


def test_memory_that_is_too_small_and_memory_that_is_in_use_are_two_things() -> None:
    small = MemoryNeed(needed_bytes=24 * GB, is_measured=False, total_bytes=8 * GB, free_bytes=7 * GB)
    assert told(memory=small) == {
        WarningCode.MEMORY_SHORT: (
            "The weights alone take 24.0 GB of GPU memory, and the smallest GPU here has 8.0 GB."
        )
    }
    used = MemoryNeed(needed_bytes=6 * GB, is_measured=True, total_bytes=8 * GB, free_bytes=500_000_000)
    assert told(memory=used) == {
        WarningCode.MEMORY_IN_USE: (
            "Jobs like it took 6.0 GB of GPU memory, and something else leaves 500 MB of it free."
        )
    }


def test_a_subject_without_a_word_to_call_it_by_is_told() -> None:
    silent = [make_item("dataset", caption=None)]
    assert list(told(silent, trigger_words=())) == [WarningCode.NOTHING_TO_CALL_IT_BY]
    assert list(told(trigger_words=(), type=TrainingType.DREAMBOOTH)) == [WarningCode.NOTHING_TO_CALL_IT_BY]
    assert told(silent, type=TrainingType.DREAMBOOTH) == {}
    assert told(silent) == {}


def test_pictures_without_a_caption_among_others_are_counted() -> None:
    some = [*CAPTIONED, make_item("dataset", caption=None)]
    assert told(some)[WarningCode.CAPTIONS_MISSING].startswith("1 of 2 pictures have no caption")


def test_a_warm_up_longer_than_the_run_is_told() -> None:
    config = TrainingConfig(steps=100, lr_warmup_steps=100, lr_scheduler="cosine")
    assert list(told(config=config)) == [WarningCode.WARMUP_NEVER_ENDS]
