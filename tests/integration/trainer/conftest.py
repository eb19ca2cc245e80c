"""The trainer as a process of this machine, and one finished run of it that several tests look at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from build_model import MODELS, build
from tests.unit.trainer.documents import PHOTOGRAPHS, TRAINER, write_config
from tests.waiting import eventually

RANK, ALPHA = 16, 32
# A tiny random model learns only at a high rate; the effective one is doubled by alpha / rank.
PARAMS = {
    "steps": 100,
    "resolution": 256,
    "lora_rank": RANK,
    "lora_alpha": ALPHA,
    "learning_rate": 1e-3,
    "train_val_split": 0.2,
    "validation_every": 50,
}
RUN_SECONDS = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("trainer")


@dataclass(frozen=True)
class Run:
    """A job's folder: config.json and outputs/. Starting it again is a second attempt."""

    folder: Path

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs"

    @property
    def adapter(self) -> Path:
        return self.outputs / "nine-photographs.safetensors"

    @property
    def twin(self) -> Path:
        return self.outputs / "diffusers" / "pytorch_lora_weights.safetensors"

    def adapter_in(self, file_format: str) -> Path:
        return {"kohya": self.adapter, "diffusers": self.twin}[file_format]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "train_lora.py", "--config", str(self.folder / "config.json")],
            cwd=TRAINER,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"},
            stdout=(self.folder / "log").open("a"),
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> int:
        """Exit code of an attempt that nobody disturbs."""
        with self.start() as process:
            return process.wait(RUN_SECONDS)

    def interrupt(self, number: signal.Signals, *, after_step: int) -> int:
        """Exit code of an attempt that gets a signal once it has reported a step after `after_step`."""
        with self.start() as process:
            try:
                eventually(lambda: self.step() > after_step, within_seconds=RUN_SECONDS, what=f"step {after_step}")
            finally:
                process.send_signal(number)
            return process.wait(RUN_SECONDS)

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Whole lines only: the process may be writing."""
        path = self.outputs / "events.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        events = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [event for event in events if kind in (None, event["type"])]

    def step(self) -> int:
        return max((event["step"] for event in self.events("metrics")), default=0)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


@dataclass(frozen=True)
class RunMaker:
    base_model: Path

    def __call__(self, folder: Path, **params: Any) -> Run:
        run = Run(folder)
        run.outputs.mkdir()
        write_config(
            folder,
            dataset_path=str(PHOTOGRAPHS),
            base_model_path=str(self.base_model),
            output_path=str(run.outputs),
            training_params=PARAMS | params,
        )
        return run


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model, as the image builds it."""
    folder = tmp_path_factory.mktemp("models") / "lorry--tiny-sd15"
    build_model(folder)
    return folder


def build_model(folder: Path) -> None:
    command = [sys.executable, "build_model.py", "--model", "lorry/tiny-sd15", "--out", str(folder)]
    subprocess.run(command, cwd=TRAINER, check=True, capture_output=True, timeout=RUN_SECONDS)


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every built-in model's folder by its name."""
    folder = tmp_path_factory.mktemp("twins")
    for model in MODELS:
        build(model, folder / model)
    return {model: folder / model for model in MODELS}


@pytest.fixture(scope="session")
def make_run(base_model: Path) -> RunMaker:
    return RunMaker(base_model)


@pytest.fixture(scope="session")
def straight_run(make_run: RunMaker, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A hundred undisturbed steps on the nine photographs."""
    run = make_run(tmp_path_factory.mktemp("straight"))
    assert run.finish() == 0, run.log()
    return run
