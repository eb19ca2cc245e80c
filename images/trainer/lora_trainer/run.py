"""From a configuration file to an exit code. Torch is imported only after everything cheap has been checked."""

import contextlib
import json
import time
import traceback
from pathlib import Path

from lora_trainer.base_model import inspect_base_model, require_text_encoder_lora
from lora_trainer.config import DiagnosticConfig, JobConfig, load_config
from lora_trainer.errors import DiskFull, TrainerError
from lora_trainer.events import EventLog
from lora_trainer.files import is_out_of_room
from lora_trainer.preflight import (
    dataset_warnings,
    inspect_dataset,
    inspect_outputs,
    require_prompts,
)
from lora_trainer.stop import StopRequest
from lora_trainer.table import read_table

DEFAULT_OUTPUTS = Path("/workspace/outputs")


def run(config_path: Path) -> int:
    stop = StopRequest()
    stop.listen()
    try:
        config = load_config(config_path)
        inspect_outputs(Path(config.output_path))
        events = EventLog(Path(config.output_path))
        if isinstance(config, DiagnosticConfig):
            _diagnose(config, events, stop)
        else:
            _train(config, events, stop)
    except TrainerError as error:
        return _report(error, config_path)
    # The outermost seam: whatever else goes wrong is a fault of the trainer, and its traceback belongs in the log.
    except Exception as error:  # noqa: BLE001
        if is_out_of_room(error):
            return _report(DiskFull("no room is left in the outputs folder"), config_path)
        traceback.print_exc()
        return _report(TrainerError(f"{type(error).__name__}: {error}"), config_path)
    return 0


def _train(config: JobConfig, events: EventLog, stop: StopRequest) -> None:
    started_at = time.monotonic()
    events.emit("phase", phase="load")
    items = inspect_dataset(Path(config.dataset_path))
    require_prompts(items, config.trigger_words)
    params = config.training_params
    for warning in dataset_warnings(items, resolution=params.resolution, captions_matter=config.type == "lora"):
        print(f"warning: {warning}", flush=True)
        events.emit("warning", message=warning)
    family = inspect_base_model(Path(config.base_model_path))
    if params.text_encoder_lora:
        require_text_encoder_lora(family)
    print(f"preflight: {len(items)} items are fine ({time.monotonic() - started_at:.2f} s)", flush=True)

    # Takes seconds: torch and diffusers.
    from lora_trainer.phases import train_adapter  # noqa: PLC0415

    stop.raise_if_made("before loading the model")
    train_adapter(config, items, family, events, stop)


def _diagnose(config: DiagnosticConfig, events: EventLog, stop: StopRequest) -> None:
    events.emit("phase", phase="load")
    table = read_table(Path(config.dataset_path)) if config.dataset_path else None

    from lora_trainer.diagnostic import train_diagnostic  # noqa: PLC0415

    train_diagnostic(config, table, events, stop)


def _report(error: TrainerError, config_path: Path) -> int:
    print(f"{error.code}: {error}", flush=True)
    # Without room for the event, or a folder to put it, the line above and the exit code still tell.
    with contextlib.suppress(OSError):
        EventLog(_outputs_of(config_path)).emit("error", code=error.code, message=str(error))
    return error.exit_code


def _outputs_of(config_path: Path) -> Path:
    """Where to report to when the configuration itself may be what is wrong."""
    try:
        return Path(json.loads(config_path.read_text(encoding="utf-8"))["output_path"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return DEFAULT_OUTPUTS
