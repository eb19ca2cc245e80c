"""Steps a second of full-size models on a GPU, with and without a CUDA graph; for bench/trainer.py.

Real shapes, random weights, made-up latents: what a step costs, whatever is in it. Without a GPU it says so.
"""

from __future__ import annotations

import gc
import json
import time
from dataclasses import dataclass
from typing import Any

import torch
from trainer_models import denoiser_only, made_up_pictures

from lora_trainer import adapter
from lora_trainer.config import TrainingParams
from lora_trainer.graph import recorder_for
from lora_trainer.step import Source, Stepper

BF16_TFLOP_A_SECOND = 989  # dense, of an H100 or H200
WARM_UP_STEPS = 10  # a graph is recorded in the fourth
STEPS = 50


@dataclass(frozen=True, slots=True)
class Case:
    kind: str
    resolution: int
    step_tflop: float  # forward and backward of one picture with rank 16, counted operation by operation


CASES = (Case("sd15", 512, 1.725), Case("sdxl", 1024, 14.19))


def measure(case: Case, batch_size: int, *, with_graph: bool) -> dict[str, Any]:
    device = torch.device("cuda")
    torch.cuda.reset_peak_memory_stats()
    family = denoiser_only(case.kind, device)
    trained = adapter.attach(family, rank=16, alpha=16, seed=1)
    params = TrainingParams(batch_size=batch_size, resolution=case.resolution)
    pictures = made_up_pictures(case.kind, case.resolution, 8, device)
    source = Source("train", pictures, weight=1.0, caption_dropout=0.0)
    recorder = recorder_for(device) if with_graph else None
    stepper = Stepper(family, trained.weights, [source], pictures.conditioning, params, recorder=recorder)
    for number in range(1, WARM_UP_STEPS + 1):
        stepper(number)
    torch.cuda.synchronize()
    began_at = time.perf_counter()
    for number in range(WARM_UP_STEPS + 1, WARM_UP_STEPS + STEPS + 1):
        stepper(number)
    torch.cuda.synchronize()
    steps_a_second = STEPS / (time.perf_counter() - began_at)
    return {
        "model": f"{case.kind}@{case.resolution}",
        "batch_size": batch_size,
        "graph": with_graph,
        "steps_a_second": round(steps_a_second, 2),
        "floor_share": round(steps_a_second * batch_size * case.step_tflop / BF16_TFLOP_A_SECOND, 3),
        "peak_memory_bytes": torch.cuda.max_memory_allocated(),
    }


def main() -> None:
    if not torch.cuda.is_available():
        print("no GPU: nothing measured on one")
        print(json.dumps([]))
        return
    results = []
    for case in CASES:
        for batch_size in (1, 4):
            for with_graph in (False, True):
                results.append(measure(case, batch_size, with_graph=with_graph))
                print(results[-1], flush=True)
                gc.collect()
                torch.cuda.empty_cache()
    print(json.dumps(results))


if __name__ == "__main__":
    main()
