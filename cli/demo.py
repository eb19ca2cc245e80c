"""`lorry demo`: from nothing to a verified adapter file, over HTTP like any user. The last line is `adapter: PATH`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from cli.answers import FINAL_STATUSES, Artifact, Job
from cli.client import LorryClient
from cli.commands.datasets import upload_folder
from cli.commands.download import fetch
from cli.demo_containers import describe_container, verify_adapter
from cli.demo_server import DemoServer
from cli.errors import CheckFailed, CliError
from cli.text import duration, printable, size
from cli.watching import display_on, follow, outcome

PHOTOGRAPHS = Path(__file__).resolve().parent.parent / "configs" / "samples" / "photographs"
BASE_MODEL = "lorry/tiny-sd15"

_USER = "demo"
_LAUNCHED_WITHIN_SECONDS = 300.0  # the first launch also builds the base model
_POLL_SECONDS = 0.2
# The base model has random weights, so there is nothing to see in its pictures; the loss shows what training did.
_REQUEST = {
    "type": "lora",
    "base_model": BASE_MODEL,
    "name": "demo",
    "trigger_words": ["lorry photo"],
    "config": {
        "steps": 200,
        "resolution": 256,
        "lora_rank": 8,
        "lora_alpha": 8,
        "learning_rate": 2e-3,
        "train_val_split": 0.2,
        "validation_every": 50,
        "sample_prompts": ["lorry photo, a cup of espresso on a red saucer"],
    },
}


def run_demo(data_dir: Path) -> Path:
    """The path of the adapter file; raises CliError, with the server's last words, when anything goes wrong."""
    started_at = time.monotonic()
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    server = DemoServer(data_dir)
    try:
        _say(f"starting `lorry serve` (data directory {data_dir})")
        with server:
            adapter = _train(server, data_dir)
    except CliError as error:
        raise CheckFailed(f"{error}\nThe last lines of {server.log}:\n{server.log_tail()}") from error
    _say(f"done in {duration(time.monotonic() - started_at)}")
    return adapter


def _train(server: DemoServer, data_dir: Path) -> Path:
    from api.web import BUILT_FILES  # noqa: PLC0415 - bench/api.py comes first in the path of what it imports

    _say(f"ready at {server.url}; creating a token")
    if BUILT_FILES.is_dir():
        _say(f"watch it in a browser: {server.create_sign_in_link(_USER)}")
    with LorryClient(server.url, server.create_token(_USER)) as lorry:
        job_id = _submit(lorry)
        try:
            _show_container(lorry, job_id)
            job = _watch(lorry, job_id)
        except KeyboardInterrupt:
            _say("cancelling the job")
            lorry.cancel(job_id)
            _watch(lorry, job_id)
            raise
        if job["status"] != "completed":
            raise CheckFailed("\n".join([outcome(job), *map(printable, lorry.logs(job_id, tail=20))]))
        adapter = _collect(lorry, job, data_dir)
    _verify(adapter, data_dir)
    return adapter


def _submit(lorry: LorryClient) -> str:
    dataset = upload_folder(lorry, PHOTOGRAPHS, name="sample photographs")
    _say(f"uploaded {dataset['item_count']} photographs as dataset {dataset['id']}")
    submitted = lorry.submit({"dataset_id": dataset["id"], **_REQUEST})
    _say(f"submitted LoRA job {submitted['job_id']} on {BASE_MODEL}: {submitted['message']}")
    return submitted["job_id"]


def _show_container(lorry: LorryClient, job_id: str) -> None:
    _wait_for_container(lorry, job_id)
    name = f"training-{job_id}"
    _say(f"docker inspect {name}:")
    for line in describe_container(name) or ["it has ended already"]:
        print(f"      {line}", flush=True)


def _wait_for_container(lorry: LorryClient, job_id: str) -> None:
    deadline = time.monotonic() + _LAUNCHED_WITHIN_SECONDS
    while lorry.job(job_id)["status"] not in ("running", *FINAL_STATUSES):
        _require_machine(lorry)
        if time.monotonic() > deadline:
            raise CheckFailed(f"The container did not start within {duration(_LAUNCHED_WITHIN_SECONDS)}.")
        time.sleep(_POLL_SECONDS)


def _require_machine(lorry: LorryClient) -> None:
    """A job would wait for its image, its engine or its disk; whoever watches a demo wants to know now."""
    failing = lorry.failing_checks()
    failing.pop("orchestrator", None)  # it builds the base model before its first pass
    if failing:
        raise CheckFailed(" ".join(failing.values()))


def _watch(lorry: LorryClient, job_id: str) -> Job:
    with display_on(sys.stdout) as display:
        return follow(lorry, job_id, display)


def _collect(lorry: LorryClient, job: Job, data_dir: Path) -> Path:
    """Download the job's adapters and samples (sha256 checked), say what training achieved; the kohya file's path."""
    folder = data_dir / "demo" / job["id"]
    result = next(event["data"] for event in reversed(lorry.events(job["id"])) if event["type"] == "result")
    _say(f"trained {result['steps']} steps on {result['train_count']} photographs, {result['val_count']} held out")
    _say(f"loss on fixed noise: {result['eval_loss_before']:.5f} before, {result['eval_loss_after']:.5f} after")
    _say(f"reload error {result['reload_error']:.2e}, change of a picture {result['picture_change']:.4f}")
    if result["eval_loss_after"] >= result["eval_loss_before"]:
        raise CheckFailed("Training finished, but the loss on fixed noise did not fall.")
    paths: dict[str, Path] = {}
    for artifact in lorry.artifacts(job["id"]):
        if artifact["kind"] in ("adapter", "sample"):
            paths[artifact["path"]] = _fetch(lorry, artifact, folder)
    return paths[_first_adapter(result)]


def _fetch(lorry: LorryClient, artifact: Artifact, folder: Path) -> Path:
    path = fetch(lorry, artifact, folder)
    digest = artifact["sha256"][:16]
    _say(f"saved {artifact['kind']} {path} ({size(artifact['size_bytes'])}, sha256 {digest} as promised)")
    return path


def _first_adapter(result: dict[str, Any]) -> str:
    """The file for most programs: kohya's format."""
    formats = {adapter["format"]: adapter["path"] for adapter in result["adapters"]}
    return str(formats.get("kohya") or next(iter(formats.values())))


def _verify(adapter: Path, data_dir: Path) -> None:
    image = os.environ.get("LORRY_IMAGE", "training-image")
    report = verify_adapter(adapter, data_dir / "models", BASE_MODEL, image)
    _say(
        f"diffusers loads it in a fresh container: {report['keys']} keys, picture change {report['picture_change']:.4f}"
    )


def _say(sentence: str) -> None:
    print(f"==> {sentence}", flush=True)
