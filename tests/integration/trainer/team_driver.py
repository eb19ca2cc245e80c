"""`team_driver.py CONFIG PROCESSES STEPS [stop]`: a run as if the machine had so many GPUs, on its CPU."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from lora_trainer import team
from lora_trainer.base_model import inspect_base_model
from lora_trainer.config import JobConfig, load_config
from lora_trainer.errors import StoppedOnRequest
from lora_trainer.events import EventLog
from lora_trainer.phases import train_adapter
from lora_trainer.preflight import inspect_dataset
from lora_trainer.stop import StopRequest


class StoppingLog(EventLog):
    """Asks for a stop at the first step."""

    def __init__(self, outputs: Path, stop: StopRequest) -> None:
        super().__init__(outputs)
        self._stop = stop

    def emit(self, kind: str, **fields: object) -> None:
        super().emit(kind, **fields)
        self._stop.is_made = self._stop.is_made or kind == "metrics"


def main(path: str, processes: str, steps: str, *stop_early: str) -> int:
    config = load_config(Path(path))
    assert isinstance(config, JobConfig)
    config = replace(config, training_params=replace(config.training_params, steps=int(steps)))
    team.process_count = lambda _device: int(processes)
    stop = StopRequest()
    events = StoppingLog(Path(config.output_path), stop) if stop_early else EventLog(Path(config.output_path))
    items = inspect_dataset(Path(config.dataset_path))
    try:
        train_adapter(config, items, inspect_base_model(Path(config.base_model_path)), events, stop)
    except StoppedOnRequest:
        return StoppedOnRequest.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
