"""How fast the trainer is beside a plain loop that does what diffusers' LoRA example does.

Same model, pictures, batch, steps and precision (float32, that script's default). Ratios are plain over ours: above 1
ours is better. With a GPU, also steps a second of full-size models with and without a CUDA graph.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
PHOTOGRAPHS = ROOT / "configs" / "samples" / "photographs"
SIDE = 512  # of the pictures' files, in pixels


@dataclass(frozen=True, slots=True)
class Case:
    model: str
    compared_steps: int
    steps_alone: int  # of a run by itself, for its memory and its time in all
    rounds: int  # of such runs


QUICK = Case("lorry/tiny-sd15", compared_steps=40, steps_alone=100, rounds=2)
FULL_SIZE = Case("sd15", compared_steps=9, steps_alone=5, rounds=1)


def measure(case: Case, folder: Path, pictures: Path) -> dict[str, float]:
    model = folder / case.model
    run("build", "--model", case.model, "--folder", str(model))
    common = ("--model", str(model), "--folder", str(pictures))
    steps = answer(run("steps", *common, "--steps", str(case.compared_steps)))
    alone: dict[str, list[dict[str, float]]] = {"plain": [], "ours": []}
    for _ in range(case.rounds):
        for kind, runs in alone.items():
            count = ("--steps", str(case.steps_alone), "--began-at", str(time.time()))
            runs.append(answer(run(kind, *common, *count)))
    figures = {f"{kind}_step_seconds": steps[kind] for kind in alone}
    for name in ("first_step", "total", "peak_memory_bytes"):
        figures |= {f"{kind}_{name}": median(each[name] for each in runs) for kind, runs in alone.items()}
    return figures


def ratios(figures: dict[str, float]) -> dict[str, float]:
    pairs = {
        "step_time_ratio": "step_seconds",
        "peak_memory_ratio": "peak_memory_bytes",
        "first_step_ratio": "first_step",
        "total_ratio": "total",
    }
    return {name: round(figures[f"plain_{what}"] / figures[f"ours_{what}"], 2) for name, what in pairs.items()}


def show(case: Case, figures: dict[str, float]) -> None:
    print(f"\n{case.model}, 256 px, batch 1, float32 {'plain':>14}{'ours':>10}{'ratio':>8}")
    rows = (
        (f"step, median of {case.compared_steps}", "step_seconds", "s", 1.0),
        ("start to first step", "first_step", "s", 1.0),
        (f"start to file, {case.steps_alone} steps", "total", "s", 1.0),
        ("peak memory", "peak_memory_bytes", "MiB", 2.0**20),
    )
    for name, what, unit, scale in rows:
        plain, ours = figures[f"plain_{what}"] / scale, figures[f"ours_{what}"] / scale
        print(f"{name:36}{plain:>9.2f} {unit:3}{ours:>7.2f} {unit:3}{plain / ours:>5.2f}")


def square_pictures(folder: Path) -> Path:
    """The sample photographs cut square: one shape, so that both loops see the same pixels."""
    folder.mkdir()
    for path in sorted(PHOTOGRAPHS.glob("*.txt")):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        (source,) = [other for other in PHOTOGRAPHS.glob(f"{path.stem}.*") if other != path]
        with Image.open(source) as picture:
            side = min(picture.size)
            left, top = (picture.width - side) // 2, (picture.height - side) // 2
            square = picture.convert("RGB").crop((left, top, left + side, top + side))
            square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(folder / f"{path.stem}.png")
    return folder


def run(*arguments: str, program: str = "trainer_runs.py") -> str:
    paths = os.pathsep.join([str(ROOT / "images" / "trainer"), str(BENCH)])
    environment = os.environ | {"PYTHONPATH": paths, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, str(BENCH / program), *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}")
    return done.stdout


def answer(output: str) -> Any:
    return json.loads(output.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the tiny model alone")
    quick = parser.parse_args().quick
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pictures = square_pictures(folder / "pictures")
        for case in [QUICK] if quick else [QUICK, FULL_SIZE]:
            figures = measure(case, folder, pictures)
            show(case, figures)
            results[case.model] = ratios(figures) | {name: round(figure, 3) for name, figure in figures.items()}
    if not quick:
        output = run(program="trainer_gpu.py")
        print(output)
        results["gpu"] = answer(output)
    print(json.dumps(results[QUICK.model] if quick else results))


if __name__ == "__main__":
    main()
