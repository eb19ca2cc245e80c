"""The six states of a job, the reasons that end one, and what each reason means.

Who enters and leaves each state, and what a crash leaves behind, stands in docs/job-lifecycle.md.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum


class JobStatus(StrEnum):
    """A job's state; the words of the public contract."""

    QUEUED = "queued"  # accepted, holds no slot
    PENDING = "pending"  # holds a slot and devices, its container is being launched
    RUNNING = "running"  # its container has started
    COMPLETED = "completed"  # ended with a verified adapter
    FAILED = "failed"  # ended without one
    CANCELLED = "cancelled"  # ended because somebody asked

    @property
    def is_active(self) -> bool:
        """Whether the job holds a slot."""
        return self in (JobStatus.PENDING, JobStatus.RUNNING)

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


# Every arrow a job may take. Final states absorb, but for the one a user may take: a failed job asked to try again.
ALLOWED: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.PENDING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.PENDING: frozenset(
        {JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    JobStatus.RUNNING: frozenset({JobStatus.QUEUED, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.CANCELLED: frozenset(),
}


class EndReason(StrEnum):
    """Why a job ended. `ENDINGS` says what each means."""

    ADAPTER_VERIFIED = "adapter_verified"
    DIAGNOSTIC_PASSED = "diagnostic_passed"
    CANCEL_REQUESTED = "cancel_requested"
    BAD_CONFIG = "bad_config"
    DATASET_UNUSABLE = "dataset_unusable"
    BASE_MODEL_UNAVAILABLE = "base_model_unavailable"
    GPU_OUT_OF_MEMORY = "gpu_out_of_memory"
    LOSS_NOT_FINITE = "loss_not_finite"
    DISK_FULL = "disk_full"
    STOPPED_UNASKED = "stopped_unasked"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"
    TRAINER_FAILED = "trainer_failed"
    ADAPTER_INVALID = "adapter_invalid"
    DIAGNOSTIC_INVALID = "diagnostic_invalid"
    IMAGE_MISSING = "image_missing"
    IMAGE_NOT_ALLOWED = "image_not_allowed"
    GPU_UNAVAILABLE = "gpu_unavailable"
    GPU_FAILED = "gpu_failed"
    DATASET_MISSING = "dataset_missing"
    CHECKPOINT_MISSING = "checkpoint_missing"
    COMMAND_UNUSABLE = "command_unusable"
    LAUNCH_REFUSED = "launch_refused"
    LAUNCH_TIMED_OUT = "launch_timed_out"
    CONTAINER_LOST = "container_lost"
    CONTAINER_DEAD = "container_dead"
    CONTAINER_INCONSISTENT = "container_inconsistent"
    RUN_TIME_EXCEEDED = "run_time_exceeded"
    STALLED = "stalled"
    OUTPUTS_TOO_LARGE = "outputs_too_large"


class RetryClass(StrEnum):
    """What could make a new attempt end differently; `domain/retry.py` acts on it."""

    NEVER = "never"  # ended well, or as asked
    USER = "user"  # only a changed config or dataset can help
    OPERATOR = "operator"  # only whoever runs this installation can help
    INFRASTRUCTURE = "infrastructure"  # the same attempt may succeed on a healthy machine: tried again by itself
    MEMORY = "memory"  # a profile that needs less memory may fit: tried again once by itself


@dataclass(frozen=True, slots=True)
class Ending:
    """What a reason means: the final state, who can help, and the sentence a user reads."""

    status: JobStatus
    retry: RetryClass
    sentence: str


def _failed(retry: RetryClass, sentence: str) -> Ending:
    return Ending(JobStatus.FAILED, retry, sentence)


ENDINGS: dict[EndReason, Ending] = {
    EndReason.ADAPTER_VERIFIED: Ending(
        JobStatus.COMPLETED, RetryClass.NEVER, "Training finished and the adapter file was verified."
    ),
    EndReason.DIAGNOSTIC_PASSED: Ending(
        JobStatus.COMPLETED, RetryClass.NEVER, "The diagnostic job passed and its model file is the reported one."
    ),
    EndReason.CANCEL_REQUESTED: Ending(JobStatus.CANCELLED, RetryClass.NEVER, "Cancelled on request."),
    EndReason.BAD_CONFIG: _failed(RetryClass.USER, "The trainer refused the job's settings."),
    EndReason.DATASET_UNUSABLE: _failed(RetryClass.USER, "The trainer could not use the dataset."),
    EndReason.BASE_MODEL_UNAVAILABLE: _failed(
        RetryClass.USER, "The base model is missing, incomplete or of a kind the trainer refuses to load."
    ),
    EndReason.GPU_OUT_OF_MEMORY: _failed(
        RetryClass.MEMORY,
        "The GPU ran out of memory. Lower resolution, batch_size or lora_rank, or turn gradient_checkpointing on or "
        "text_encoder_lora off.",
    ),
    EndReason.LOSS_NOT_FINITE: _failed(RetryClass.USER, "The loss stopped being a number. Lower learning_rate."),
    EndReason.DISK_FULL: _failed(RetryClass.INFRASTRUCTURE, "The disk had no room for what the trainer wrote."),
    EndReason.STOPPED_UNASKED: _failed(
        RetryClass.INFRASTRUCTURE,
        "The container was told to stop by somebody outside Lorry; the last checkpoint was saved.",
    ),
    EndReason.OUT_OF_MEMORY: _failed(RetryClass.MEMORY, "The container used more main memory than its limit allows."),
    EndReason.KILLED: _failed(
        RetryClass.INFRASTRUCTURE, "The container was killed by a signal that Lorry did not send."
    ),
    EndReason.TRAINER_FAILED: _failed(RetryClass.USER, "The trainer ended with an error; the log has the details."),
    EndReason.ADAPTER_INVALID: _failed(
        RetryClass.USER, "The trainer reported success, but its adapter file did not pass verification."
    ),
    EndReason.DIAGNOSTIC_INVALID: _failed(
        RetryClass.OPERATOR, "The diagnostic job reported success, but did not leave the model file it reported."
    ),
    EndReason.IMAGE_MISSING: _failed(RetryClass.INFRASTRUCTURE, "The training image is not on this machine."),
    EndReason.IMAGE_NOT_ALLOWED: _failed(
        RetryClass.OPERATOR, "The training image is not on the list of allowed images."
    ),
    EndReason.GPU_UNAVAILABLE: _failed(
        RetryClass.OPERATOR, "A GPU is required, but the Docker Engine has no GPU driver to offer."
    ),
    EndReason.GPU_FAILED: _failed(RetryClass.INFRASTRUCTURE, "The GPU or its driver failed."),
    EndReason.DATASET_MISSING: _failed(RetryClass.USER, "The dataset's files are no longer there."),
    EndReason.CHECKPOINT_MISSING: _failed(
        RetryClass.USER, "The checkpoint of another job that it was to go on from is no longer there."
    ),
    EndReason.COMMAND_UNUSABLE: _failed(
        RetryClass.OPERATOR, "The training image has no trainer in it that can be started."
    ),
    EndReason.LAUNCH_REFUSED: _failed(RetryClass.INFRASTRUCTURE, "The Docker Engine refused to start the container."),
    EndReason.LAUNCH_TIMED_OUT: _failed(RetryClass.INFRASTRUCTURE, "The container could not be started in time."),
    EndReason.CONTAINER_LOST: _failed(
        RetryClass.INFRASTRUCTURE, "The container disappeared before its result could be read."
    ),
    EndReason.CONTAINER_DEAD: _failed(
        RetryClass.INFRASTRUCTURE, "The Docker Engine gave the container up as dead before it had ended."
    ),
    EndReason.CONTAINER_INCONSISTENT: _failed(
        RetryClass.INFRASTRUCTURE, "The container that ran was replaced by one that never ran."
    ),
    EndReason.RUN_TIME_EXCEEDED: _failed(
        RetryClass.USER, "The job ran longer than it may. Ask for fewer steps, or for a longer max_runtime_seconds."
    ),
    EndReason.STALLED: _failed(RetryClass.INFRASTRUCTURE, "The trainer reported nothing for too long and was stopped."),
    EndReason.OUTPUTS_TOO_LARGE: _failed(
        RetryClass.USER, "The job wrote more files than it may. Keep fewer checkpoints or samples."
    ),
}

# Exit codes are the trainer's protocol (docs/trainer-protocol.md).
_EXIT_REASONS: dict[int, EndReason] = {
    10: EndReason.BAD_CONFIG,
    11: EndReason.DATASET_UNUSABLE,
    12: EndReason.BASE_MODEL_UNAVAILABLE,
    13: EndReason.GPU_OUT_OF_MEMORY,
    14: EndReason.LOSS_NOT_FINITE,
    15: EndReason.STOPPED_UNASKED,
    16: EndReason.DISK_FULL,
    17: EndReason.GPU_FAILED,
    126: EndReason.COMMAND_UNUSABLE,  # the container's init found the command, and it is no program
    127: EndReason.COMMAND_UNUSABLE,  # or did not find it
    143: EndReason.STOPPED_UNASKED,
}
_SIGKILL_EXIT = 137
_FIRST_SIGNAL_EXIT = 128  # a shell's way to say "ended by a signal", which engines keep


def reason_for_exit(exit_code: int, *, is_oom_killed: bool) -> EndReason | None:
    """The reason a started container's exit gives, or None for exit 0: success still needs evidence.

    137 alone is never read as out of memory: a `docker kill` looks the same (notes on reliability, T9).
    A set OOM flag beside exit 0 means a child was killed and the trainer went on, so it decides nothing.
    """
    if exit_code == 0:
        return None
    if is_oom_killed:
        return EndReason.OUT_OF_MEMORY
    if exit_code == _SIGKILL_EXIT:
        return EndReason.KILLED
    return _EXIT_REASONS.get(exit_code, EndReason.TRAINER_FAILED)


def exit_sentence(exit_code: int) -> str:
    """An exit in words, the signal named where one ended it."""
    try:
        name = signal.Signals(exit_code - _FIRST_SIGNAL_EXIT).name
    except ValueError:
        return f"It ended with exit code {exit_code}."
    return f"It was ended by {name} (exit code {exit_code})."
