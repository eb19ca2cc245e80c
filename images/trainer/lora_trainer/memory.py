"""How much memory a run took, and with which settings that decide it."""

import resource

import torch

from lora_trainer.config import TrainingParams


def peak_memory_bytes(device: torch.device) -> int:
    """Of tensors on the GPU; without one, of the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


def describe_memory_profile(params: TrainingParams) -> str:
    checkpointing = "with" if params.gradient_checkpointing else "without"
    return (
        f"batch_size {params.batch_size}, gradient_accumulation_steps {params.gradient_accumulation_steps}, "
        f"{checkpointing} gradient_checkpointing"
    )
