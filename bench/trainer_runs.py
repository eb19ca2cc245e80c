"""One measurement of the trainer in a process of its own, for bench/trainer.py; its answer is one JSON line."""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from trainer_loops import Loop, Ours, Plain, Task

from build_model import build
from lora_trainer.machine import available_cpus

LOOPS: dict[str, type[Ours | Plain]] = {"ours": Ours, "plain": Plain}
WARM_UP_STEPS = 3  # not counted


def compare_steps(task: Task, steps: int) -> dict[str, Any]:
    """Both loops in one process, a step of each in turn: a busy machine is busy for both."""
    loops: dict[str, Loop] = {name: kind(task) for name, kind in LOOPS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(1, WARM_UP_STEPS + steps + 1):
        for name, loop in loops.items():
            began_at = time.perf_counter()
            loop.step(number)
            seconds[name].append(time.perf_counter() - began_at)
    return {name: median(each[WARM_UP_STEPS:]) for name, each in seconds.items()}


def run_alone(kind: str, task: Task, steps: int, began_at: float) -> dict[str, Any]:
    """From the start of the process: seconds to the first step's end and to the saved file, and peak memory."""
    loop = LOOPS[kind](task)
    loop.step(1)
    first_step = time.time() - began_at
    for number in range(2, steps + 1):
        loop.step(number)
    loop.save(task.outputs / "adapter.safetensors")
    return {
        "first_step": first_step,
        "total": time.time() - began_at,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def build_folder(model: str, folder: Path) -> None:
    if model == "sd15":
        from trainer_models import save_sd15  # noqa: PLC0415 - only the large model needs it

        save_sd15(folder)
    else:
        build(model, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["build", "steps", *LOOPS])
    parser.add_argument("--model", required=True, help="to build: a name; otherwise a folder")
    parser.add_argument("--folder", type=Path, required=True, help="pictures; to build: where to")
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--began-at", type=float, default=0.0, help="Unix time")
    given = parser.parse_args()
    torch.set_num_threads(available_cpus())
    if given.what == "build":
        build_folder(given.model, given.folder)
        return
    with tempfile.TemporaryDirectory() as outputs:
        task = Task(Path(given.model), given.folder, Path(outputs), given.resolution, given.batch_size)
        if given.what == "steps":
            answer = compare_steps(task, given.steps)
        else:
            answer = run_alone(given.what, task, given.steps, given.began_at)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
