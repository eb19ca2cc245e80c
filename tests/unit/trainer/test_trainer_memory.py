"""What a run says about the memory it took."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from lora_trainer.config import TrainingParams, load_config
from lora_trainer.events import EventLog
from lora_trainer.memory import describe_memory_profile, peak_memory_bytes, with_optimizer_at_hand
from tests.unit.trainer.documents import write_config

pytestmark = pytest.mark.trainer


def test_the_profile_names_every_setting_that_the_memory_ladder_changes_and_what_else_stays_in_memory():
    lowest = TrainingParams(
        batch_size=1, gradient_accumulation_steps=4, gradient_checkpointing=True, optimizer="adamw8bit"
    )

    assert describe_memory_profile(lowest) == (
        "batch_size 1, gradient_accumulation_steps 4, with gradient_checkpointing, optimizer adamw8bit"
    )
    assert describe_memory_profile(TrainingParams(text_encoder_lora=True)).endswith(
        "optimizer adamw, with text_encoder_lora"
    )
    assert describe_memory_profile(TrainingParams(batch_size=4)) == (
        "batch_size 4, gradient_accumulation_steps 1, without gradient_checkpointing, optimizer adamw"
    )


@pytest.mark.parametrize(("wanted", "had", "warnings"), [("adamw8bit", "adamw", 1), ("prodigy", "prodigy", 0)])
def test_an_optimizer_that_is_not_at_hand_is_replaced_with_a_warning(tmp_path, wanted, had, warnings):
    config = load_config(write_config(tmp_path, training_params={"optimizer": wanted}))

    usable = with_optimizer_at_hand(config, EventLog(tmp_path))

    assert usable == replace(config, training_params=replace(config.training_params, optimizer=had))
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["message"] for event in events] == [
        "adamw8bit needs a GPU and bitsandbytes, which this container lacks: training with adamw instead"
    ] * warnings


def test_without_a_gpu_the_peak_is_the_processes():
    before = peak_memory_bytes(torch.device("cpu"))

    ballast = torch.ones(before // 4)  # as many bytes again
    assert peak_memory_bytes(torch.device("cpu")) > before
    del ballast
