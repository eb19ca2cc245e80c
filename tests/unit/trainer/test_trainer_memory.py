"""What a run says about the memory it took."""

from __future__ import annotations

import pytest
import torch

from lora_trainer.config import TrainingParams
from lora_trainer.memory import describe_memory_profile, peak_memory_bytes

pytestmark = pytest.mark.trainer


def test_the_profile_names_every_setting_that_the_memory_ladder_changes():
    lowest = TrainingParams(batch_size=1, gradient_accumulation_steps=4, gradient_checkpointing=True)

    assert describe_memory_profile(lowest) == (
        "batch_size 1, gradient_accumulation_steps 4, with gradient_checkpointing"
    )
    assert describe_memory_profile(TrainingParams(batch_size=4)) == (
        "batch_size 4, gradient_accumulation_steps 1, without gradient_checkpointing"
    )


def test_without_a_gpu_the_peak_is_the_processes():
    before = peak_memory_bytes(torch.device("cpu"))

    ballast = torch.ones(before // 4)  # as many bytes again
    assert peak_memory_bytes(torch.device("cpu")) > before
    del ballast
