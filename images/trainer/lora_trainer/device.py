"""What the model runs on, and in which precision."""

import re

import torch

from lora_trainer.errors import GpuFailed

# What libraries below torch say as a plain RuntimeError; torch itself raises AcceleratorError.
_FAULTS = re.compile(r"(CUDA|cuDNN|NCCL) error|(CUBLAS|CUDNN|CUFFT|CUSOLVER)_STATUS_")


def pick_device(wanted: str) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise GpuFailed("the job was given a GPU, but the container sees none that works")
    return torch.device("cuda" if has_gpu and wanted != "cpu" else "cpu")


def pick_dtype(wanted: str, device: torch.device) -> torch.dtype:
    is_half = wanted == "bf16" or (wanted == "auto" and device.type == "cuda")
    return torch.bfloat16 if is_half else torch.float32


def is_gpu_fault(error: Exception) -> bool:
    """Whether the GPU, its driver or the way to it failed, and not the program."""
    return isinstance(error, torch.AcceleratorError) or (
        isinstance(error, RuntimeError) and _FAULTS.search(str(error)) is not None
    )
