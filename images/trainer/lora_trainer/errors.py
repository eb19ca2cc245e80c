"""The ways a training run ends without an adapter. Exit codes are protocol (docs/trainer-protocol.md)."""

from typing import ClassVar


class TrainerError(Exception):
    """The message is one sentence for the person who submitted the job."""

    exit_code: ClassVar[int] = 70
    code: ClassVar[str] = "internal"


class BadConfig(TrainerError):
    exit_code = 10
    code = "bad_config"


class UnusableDataset(TrainerError):
    exit_code = 11
    code = "unusable_dataset"


class UnusableBaseModel(TrainerError):
    exit_code = 12
    code = "unusable_base_model"


class OutOfGpuMemory(TrainerError):
    exit_code = 13
    code = "out_of_gpu_memory"


ADVICE = "try a lower learning_rate, or mixed_precision no"


class NotFinite(TrainerError):
    exit_code = 14
    code = "loss_not_finite"


class StoppedOnRequest(TrainerError):
    exit_code = 15
    code = "stopped"


class DiskFull(TrainerError):
    exit_code = 16
    code = "disk_full"


class GpuFailed(TrainerError):
    exit_code = 17
    code = "gpu_failed"


class AdapterRejected(TrainerError):
    """The trained file failed its own check: it would be useless to whoever downloads it."""

    code = "adapter_rejected"


def summarise(problems: list[str], limit: int = 10) -> str:
    """All problems in one sentence; beyond `limit` only their number."""
    shown = "; ".join(problems[:limit])
    hidden = len(problems) - limit
    return f"{shown}; and {hidden} more" if hidden > 0 else shown
