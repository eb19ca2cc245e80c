"""What the model runs on, and in which precision."""

import torch

from lora_trainer.errors import BadConfig


def pick_device(wanted: str) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise BadConfig("device: cuda is asked for, but the container sees no usable GPU")
    return torch.device("cuda" if has_gpu and wanted != "cpu" else "cpu")


def pick_dtype(wanted: str, device: torch.device) -> torch.dtype:
    is_half = wanted == "bf16" or (wanted == "auto" and device.type == "cuda")
    return torch.bfloat16 if is_half else torch.float32
