"""What a job takes of the disk and of a GPU's memory."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.model import ModelSource
from orchestrator.domain.resources import DeviceMemory, DiskNeed, MemoryNeed, disk_need, memory_need
from orchestrator.domain.training import TrainingConfig
from tests.factories import make_model

GB = 1000**3
MODEL = make_model(adapter_bytes=1_000, text_adapter_bytes=1_500)


def need(config: TrainingConfig | None = None, **changes: Any) -> DiskNeed:
    facts: dict[str, Any] = {"entry": MODEL, "is_here": True, "free_bytes": GB}
    return disk_need(config or TrainingConfig(), **facts | changes)


def test_a_checkpoint_holds_the_adapter_and_what_its_optimizer_remembers() -> None:
    plain = need(TrainingConfig(lora_rank=10, keep_checkpoints=1))
    assert plain.adapter_bytes == 2 * 2 * 10_000
    assert plain.checkpoint_bytes == 2 * 4 * 10_000
    assert (
        need(TrainingConfig(lora_rank=10, keep_checkpoints=1, optimizer="prodigy")).checkpoint_bytes == 2 * 6 * 10_000
    )
    watched = TrainingConfig(
        lora_rank=10, keep_checkpoints=1, ema_decay=0.99, early_stopping_patience=2, validation_every=10
    )
    assert need(watched).checkpoint_bytes == 2 * 6 * 10_000


def test_no_more_checkpoints_are_counted_than_are_kept_or_written() -> None:
    def count(**config: Any) -> float:
        return (need(TrainingConfig(lora_rank=10, **config)).checkpoint_bytes or 0) / (2 * 4 * 10_000)

    assert count(steps=1_000, checkpoint_every=100, keep_checkpoints=4) == 4
    assert count(steps=1_000, checkpoint_every=400, keep_checkpoints=20) == 3
    assert count(steps=100, checkpoint_every=400, keep_checkpoints=20) == 1


def test_pictures_are_counted_by_their_pixels_for_every_prompt() -> None:
    prompts = TrainingConfig(resolution=256, steps=100, sample_every=30, sample_prompts=("a cat", "a dog"))
    assert need(prompts).sample_bytes == 2 * 2 * 5 * 256 * 256 * 3
    assert need(TrainingConfig(resolution=256)).sample_bytes == 2 * 2 * 256 * 256 * 3


def test_layers_of_the_text_encoders_make_an_adapter_larger() -> None:
    assert need(TrainingConfig(lora_rank=10, text_encoder_lora=True)).adapter_bytes == 2 * 2 * 15_000


def test_a_model_that_is_fetched_first_counts_and_one_that_is_here_does_not() -> None:
    hub = make_model(source=ModelSource.HUGGINGFACE, size_bytes=4 * GB, adapter_bytes=1_000)
    assert need(entry=hub, is_here=False).model_bytes == 4 * GB
    assert need(entry=hub, is_here=True).model_bytes == 0


def test_nobody_knows_what_is_needed_where_the_catalogue_does_not_say() -> None:
    unknown = need(entry=make_model())
    assert (unknown.needed_bytes, unknown.fits, unknown.checkpoint_bytes) == (None, None, None)
    assert unknown.sample_bytes > 0


def test_it_fits_when_all_of_it_is_no_more_than_what_is_free() -> None:
    exact = need().needed_bytes
    assert exact is not None
    assert need(free_bytes=exact).fits is True
    assert need(free_bytes=exact - 1).fits is False


def memory(measured: int | None, weights: int | None, *gpus: tuple[int, int], held: str = "") -> MemoryNeed | None:
    known = {f"GPU-{place}": DeviceMemory(total * GB, free * GB) for place, (total, free) in enumerate(gpus)}
    in_bytes = [None if size is None else size * GB for size in (measured, weights)]
    return memory_need(*in_bytes, known, held={held})


def test_what_was_measured_counts_before_the_weights_alone() -> None:
    found = memory(12, 7, (80, 70))
    assert found is not None
    assert (found.needed_bytes, found.is_measured, found.fits) == (12 * GB, True, True)


def test_weights_that_do_not_fit_are_enough_to_know_and_weights_that_do_are_not() -> None:
    too_big, maybe = memory(None, 90, (80, 70)), memory(None, 7, (80, 70))
    assert too_big is not None
    assert maybe is not None
    assert (too_big.fits, maybe.fits) == (False, None)


def test_a_job_may_be_given_the_smallest_gpu_and_the_fullest_that_is_not_held() -> None:
    found = memory(12, None, (80, 70), (24, 3), (48, 1), held="GPU-2")
    assert found is not None
    assert (found.total_bytes, found.free_bytes, found.is_crowded_out) == (24 * GB, 3 * GB, True)


@pytest.mark.parametrize(("measured", "weights"), [(None, None)])
def test_without_any_measure_nothing_is_said(measured: None, weights: None) -> None:
    assert memory(measured, weights, (80, 70)) is None


def test_gpus_that_nobody_measured_leave_it_open() -> None:
    found = memory(12, None)
    assert found is not None
    assert (found.fits, found.is_crowded_out) == (None, False)
