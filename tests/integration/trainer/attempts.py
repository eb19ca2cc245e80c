"""Processes of the trainer that begin in milliseconds: forked from one that has torch loaded."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch

from lora_trainer.checkpoint import CheckpointFolder
from lora_trainer.run import run


def start_attempt(folder: Path) -> BaseProcess:
    """At the job whose config.json and log are in `folder`."""
    return _start(_attempt, folder)


def start_save(folder: Path, step: int, *, killed_at: int) -> BaseProcess:
    """Saves a checkpoint, and kills itself (SIGKILL) ahead of that touch of the file system, counted from 1."""
    return _start(_save, folder, step, killed_at)


def tensors_of(step: int) -> dict[str, torch.Tensor]:
    return {"adapter/x": torch.full((4,), float(step))}


def checkpoints(folder: Path) -> CheckpointFolder:
    return CheckpointFolder(folder, identity="a", keep=1)


def _start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "lora_trainer.diagnostic", __name__])
    process = context.Process(target=target, args=arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PYTHONPATH", os.pathsep.join(sys.path)
        )  # without it nothing would be found ahead, and none say so
        process.start()
    return process


def _attempt(folder: Path) -> None:
    with (folder / "log").open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    sys.exit(run(folder / "config.json"))


def _save(folder: Path, step: int, killed_at: int) -> None:
    content, touches = tensors_of(step), itertools.count(1)

    def count(event: str, _arguments: object) -> None:
        if event.startswith(("open", "os.", "shutil.")) and next(touches) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    checkpoints(folder).save(step, content, {"touches": killed_at})
    os._exit(0)  # what the interpreter does on its way out would be counted too
