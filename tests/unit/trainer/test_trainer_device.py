"""Telling a GPU that fails from a program that does."""

from __future__ import annotations

import pytest
import torch

from lora_trainer import phases
from lora_trainer.config import load_config
from lora_trainer.device import is_gpu_fault, pick_device
from lora_trainer.errors import GpuFailed, OutOfGpuMemory
from tests.unit.trainer.documents import write_config

pytestmark = pytest.mark.trainer

FAULTS = [
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: uncorrectable ECC error encountered\nCompile with TORCH_USE_CUDA_DSA"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling cublasGemmEx"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("NCCL error in: ProcessGroupNCCL.cpp, remote process exited"),
]


@pytest.mark.parametrize("error", FAULTS, ids=str)
def test_what_libraries_say_of_a_broken_gpu_is_known(error):
    assert is_gpu_fault(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("CUDA error")], ids=str)
def test_a_fault_of_the_program_is_none_of_the_gpu(error):
    assert not is_gpu_fault(error)


@pytest.fixture
def training_that_raises(tmp_path, monkeypatch):
    config = load_config(write_config(tmp_path))

    def train(error):
        def fail(*_):
            raise error

        monkeypatch.setattr(phases, "_run_phases", fail)
        phases.train_adapter(config, [], None, None, None)

    return train


def test_a_fault_ends_the_run_with_its_own_exit_code_and_the_drivers_first_line(training_that_raises):
    with pytest.raises(GpuFailed, match=r"uncorrectable ECC error encountered$") as caught:
        training_that_raises(FAULTS[1])

    assert caught.value.exit_code == 17


def test_out_of_memory_is_no_fault(training_that_raises):
    with pytest.raises(OutOfGpuMemory):
        training_that_raises(torch.OutOfMemoryError("CUDA out of memory"))


def test_a_bug_stays_a_bug(training_that_raises):
    with pytest.raises(RuntimeError, match="shapes"):
        training_that_raises(RuntimeError("shapes do not match"))


def test_a_gpu_that_was_given_and_does_not_work_is_a_fault(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(GpuFailed, match="sees none that works"):
        pick_device("cuda")
