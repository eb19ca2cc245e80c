"""How much memory a run took, and with which settings that decide it."""

import resource
from dataclasses import replace

import torch

from lora_trainer.config import JobConfig, TrainingParams
from lora_trainer.device import pick_device
from lora_trainer.events import Events
from lora_trainer.updater import AdamW8bit, has_eight_bits


def peak_memory_bytes(device: torch.device) -> int:
    """Of tensors on the GPU; without one, of the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


def describe_memory_profile(params: TrainingParams) -> str:
    checkpointing = "with" if params.gradient_checkpointing else "without"
    text_encoders = ", with text_encoder_lora" if params.text_encoder_lora else ""
    return (
        f"batch_size {params.batch_size}, gradient_accumulation_steps {params.gradient_accumulation_steps}, "
        f"{checkpointing} gradient_checkpointing, optimizer {params.optimizer}{text_encoders}"
    )


def with_optimizer_at_hand(config: JobConfig, events: Events) -> JobConfig:
    """The same run, or one with plain AdamW where eight bits were asked for and cannot be had."""
    params = config.training_params
    if params.optimizer != "adamw8bit" or has_eight_bits(pick_device(config.device)):
        return config
    message = f"adamw8bit needs a GPU and {AdamW8bit.LIBRARY}, which this container lacks: training with adamw instead"
    print(f"warning: {message}", flush=True)
    events.emit("warning", message=message)
    return replace(config, training_params=replace(params, optimizer="adamw"))
