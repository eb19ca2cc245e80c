"""The trainer's protocol without training: same config, events, files and exit codes, in about a second.

Every start appends a line to `starts.log` in the outputs, so that a test can prove how often that was.
`fake:seconds=S` sets the length, `fake:reports=N` how often it reports meanwhile,
`fake:hang=1` waits for ever, `fake:ignore_sigterm=1` ignores SIGTERM,
`fake:early_sample=1` draws a picture before the first step too, as the trainer does,
`fake:early_checkpoint=1` saves a checkpoint before the first step is reported,
`fake:sampled_checkpoints=1` saves a checkpoint and draws a picture with every report,
`fake:gate=1` waits until somebody puts a file named `gate` into the outputs,
`fake:exit=N` ends with that code after an error event, and
`fake:result=missing|truncated|wrong_hash|outside|symlink|nan|zero` spoils the adapter; misbehaviour.py has the rest.
"""

import argparse
import json
import math
import signal
import struct
import sys
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter_files import (
    Tensors,
    describe,
    diffusers_tensors,
    kohya_tensors,
    weight_source,
    write_safetensors,
)
from events import EventFile
from misbehaviour import damage, misbehave, parse_wishes

REPORTS = 20
DEFAULT_SECONDS = 0.5
GATE_PAUSE_SECONDS = 0.05
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
DONE, BAD_CONFIG, UNUSABLE_DATASET, STOPPED = 0, 10, 11, 15
ERROR_CODES = {
    10: "bad_config",
    11: "unusable_dataset",
    12: "unusable_base_model",
    13: "out_of_gpu_memory",
    14: "loss_not_finite",
    15: "stopped",
}


@dataclass(frozen=True)
class Run:
    config: dict[str, Any]
    wishes: dict[str, str]
    outputs: Path
    events: EventFile
    stop: threading.Event
    train_count: int
    val_count: int

    @property
    def params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.config["training_params"]
        return params

    @property
    def begins_at(self) -> int:
        """The step of the checkpoint that it goes on from."""
        return int((self.config.get("continues_from") or "step-0").removeprefix("step-"))

    @property
    def reports(self) -> int:
        return int(self.wishes.get("reports", REPORTS))

    @property
    def pause(self) -> float:
        """Seconds between two reports."""
        return float(self.wishes.get("seconds", DEFAULT_SECONDS)) / self.reports


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    path = parser.parse_args().config
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        run = prepare(config)
    except (ValueError, KeyError) as error:
        print(f"{path} is not a job config: {error!r}", file=sys.stderr)
        return BAD_CONFIG
    if run.begins_at and not (run.outputs / "checkpoints" / config["continues_from"]).is_dir():
        return give_up(run, BAD_CONFIG, f"the checkpoint {config['continues_from']} is not there")
    if run.train_count == 0:
        return give_up(run, UNUSABLE_DATASET, f"no images in {config['dataset_path']}")
    if "hang" in run.wishes:
        run.stop.wait()
        return stopped(run, 0)
    return train(run)


def prepare(config: dict[str, Any]) -> Run:
    wishes = parse_wishes(config["trigger_words"])
    images = sum(path.suffix.lower() in IMAGE_SUFFIXES for path in Path(config["dataset_path"]).iterdir())
    share = config["training_params"]["train_val_split"]
    val_count = int(images * share) if images >= 5 else 0  # noqa: PLR2004 - the trainer's own rule
    outputs = Path(config["output_path"])
    with (outputs / "starts.log").open("a") as starts:
        starts.write(f"{time.time():.6f}\n")
    stop = threading.Event()
    on_sigterm = (lambda *_: None) if "ignore_sigterm" in wishes else (lambda *_: stop.set())
    signal.signal(signal.SIGTERM, on_sigterm)
    return Run(config, wishes, outputs, EventFile(outputs), stop, images - val_count, val_count)


def train(run: Run) -> int:
    run.events.write("phase", phase="load")
    print(f"fake trainer: job {run.config['job_id']}", flush=True)
    if "gate" in run.wishes and not wait_for_gate(run):
        return stopped(run, 0)
    misbehave(run.wishes, run.outputs, run.events)
    run.events.write("phase", phase="preprocess")
    run.events.write("phase", phase="train")
    if "early_sample" in run.wishes:
        write_sample(run, 0)
    if "early_checkpoint" in run.wishes:
        save_checkpoint(run, run.params["steps"] // run.reports)
    if "exit" in run.wishes:
        return give_up(run, int(run.wishes["exit"]), "asked to fail by a trigger word")
    steps = run.params["steps"]
    for report in range(1, run.reports + 1):
        step = run.begins_at + (steps - run.begins_at) * report // run.reports
        if run.stop.wait(run.pause):
            return stopped(run, step)
        report_step(run, step)
        if "sampled_checkpoints" in run.wishes:
            save_checkpoint(run, step)
            write_sample(run, step)
    save_checkpoint(run, steps)
    run.events.write("phase", phase="evaluate")
    write_sample(run, steps)
    run.events.write("phase", phase="register")
    write_result(run, steps)
    return DONE


def wait_for_gate(run: Run) -> bool:
    """Whether the gate opened; False when the job was asked to stop before."""
    while not (run.outputs / "gate").exists():
        if run.stop.wait(GATE_PAUSE_SECONDS):
            return False
    return True


def report_step(run: Run, step: int) -> None:
    steps, batch = run.params["steps"], run.params["batch_size"]
    done = step / steps
    total_epochs = math.ceil(steps * batch / run.train_count)
    epoch = min(step * batch // run.train_count, total_epochs)
    run.events.write(
        "progress",
        step=step,
        total_steps=steps,
        epoch=epoch,
        total_epochs=total_epochs,
        progress=round(100 * done, 2),
        eta_seconds=round(run.pause * run.reports * (1 - done), 3),
        train_count=run.train_count,
        val_count=run.val_count,
    )
    run.events.write(
        "metrics",
        step=step,
        epoch=epoch,
        loss=round(0.2 + 0.8 * math.exp(-3 * done), 6),
        learning_rate=run.params["learning_rate"],
        throughput=round(steps / run.reports * batch / max(run.pause, 1e-6), 3),
        grad_norm=0.5,
    )


def save_checkpoint(run: Run, step: int) -> None:
    folder = f"checkpoints/step-{step:06d}"
    kohya, _ = make_tensors(run)
    write_safetensors(run.outputs / folder / "adapter.safetensors", kohya, run.config["lineage"])
    run.events.write("checkpoint", step=step, path=folder)


def write_sample(run: Run, step: int) -> None:
    path = run.outputs / "samples" / f"step-{step:06d}.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(grey_png(64))
    name = str(path.relative_to(run.outputs))
    run.events.write("sample", step=step, path=name, prompt="a photo", seed=run.params["seed"])


def write_result(run: Run, steps: int) -> None:
    adapters = write_adapters(run)
    damage(run.wishes.get("result", ""), run.outputs, adapters[0])
    run.events.write(
        "result",
        adapters=adapters,
        steps=steps,
        train_count=run.train_count,
        val_count=run.val_count,
        eval_loss_before=0.9,
        eval_loss_after=0.7,
        reload_error=0.0,
        picture_change=0.1,
    )


def write_adapters(run: Run) -> list[dict[str, object]]:
    kohya, diffusers = make_tensors(run)
    kohya_path = run.outputs / "adapter.safetensors"
    diffusers_path = run.outputs / "diffusers" / "pytorch_lora_weights.safetensors"
    rank_and_alpha = {
        "ss_network_dim": str(run.params["lora_rank"]),
        "ss_network_alpha": str(run.params["lora_alpha"]),
    }
    write_safetensors(kohya_path, kohya, {**run.config["lineage"], **rank_and_alpha})
    write_safetensors(diffusers_path, diffusers, {**run.config["lineage"], "format": "pt"})
    return [describe(kohya_path, run.outputs, "kohya"), describe(diffusers_path, run.outputs, "diffusers")]


def make_tensors(run: Run) -> tuple[Tensors, Tensors]:
    weight = weight_source(run.wishes.get("result", ""), run.params["seed"])
    rank, alpha = run.params["lora_rank"], run.params["lora_alpha"]
    adapts_text = run.params.get("text_encoder_lora", False)
    return (
        kohya_tensors(rank, alpha, weight, adapts_text=adapts_text),
        diffusers_tensors(rank, weight, adapts_text=adapts_text),
    )


def stopped(run: Run, step: int) -> int:
    save_checkpoint(run, step)
    return give_up(run, STOPPED, f"stopped on request at step {step}, checkpoint saved")


def give_up(run: Run, exit_code: int, message: str) -> int:
    run.events.write("error", code=ERROR_CODES.get(exit_code, "internal"), message=message)
    print(message, file=sys.stderr)
    return exit_code


def grey_png(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)  # 8-bit greyscale
    rows = zlib.compress((b"\0" + b"\x80" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


if __name__ == "__main__":
    sys.exit(main())
