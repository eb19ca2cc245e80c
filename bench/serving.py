"""What the measurements share: the engine, a `lorry serve` of their own on the fake trainer, and its clean-up."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import DockerException, ImageNotFound

from cli.answers import FINAL_STATUSES
from cli.client import LorryClient
from cli.commands.datasets import upload_folder
from cli.demo import BASE_MODEL, PHOTOGRAPHS
from cli.demo_server import DemoServer
from cli.errors import CliError
from orchestrator.domain.container import LABEL_INSTANCE

IMAGE = "lorry-fake-trainer"

_SETTINGS = {
    "LORRY_IMAGE": IMAGE,
    "LORRY_GPUS": "none",
    "LORRY_SUBMIT_RATE": "1000000/minute",
    "LORRY_REQUEST_RATE": "1000000/minute",
}
_DEADLINE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02


def report_failure(measure: Callable[[], None]) -> None:
    """Run `measure`; a missing engine or a server that fails ends the program with a sentence and exit code 1."""
    try:
        measure()
    except (CliError, DockerException) as error:
        sys.exit(f"error: {error}")


def connect_engine() -> APIClient:
    """The engine that Lorry would use, with the fake trainer's image on it; otherwise the program ends."""
    address = os.environ.get("LORRY_DOCKER_HOST", "unix:///var/run/docker.sock")
    try:
        engine = APIClient(base_url=address, version="auto")
    except DockerException as error:
        sys.exit(f"error: no Docker Engine answers at {address} ({error}). Start it with `make engine`.")
    try:
        engine.inspect_image(IMAGE)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        sys.exit(f"error: the image {IMAGE} is not on this machine. Build it with `make images`.")
    return engine


@contextmanager
def serving(engine: APIClient, **settings: str) -> Iterator[DemoServer]:
    """A real `lorry serve` on an empty data directory; nothing of it is left afterwards."""
    os.environ.update(_SETTINGS | settings)
    data_dir = Path(tempfile.mkdtemp(prefix="lorry-bench-"))
    server = DemoServer(data_dir)
    try:
        with server:
            yield server
    finally:
        remove_containers(engine, f"{LABEL_INSTANCE}={server.instance}")
        shutil.rmtree(data_dir)


def remove_containers(engine: APIClient, label: str) -> None:
    for entry in engine.containers(all=True, filters={"label": label}):
        engine.remove_container(entry["Id"], v=True, force=True)


def upload_sample(lorry: LorryClient) -> str:
    """The id of a new dataset of photographs."""
    return upload_folder(lorry, PHOTOGRAPHS, name="photographs")["id"]


def submission(dataset_id: str, *wishes: str) -> dict[str, Any]:
    """The body of a submission; `wishes` are what the fake trainer understands, such as `fake:hang=1`."""
    return {
        "dataset_id": dataset_id,
        "type": "lora",
        "base_model": BASE_MODEL,
        "trigger_words": list(wishes),
        "config": {"steps": 100},
    }


def wait_until_ended(lorry: LorryClient, job_id: str) -> None:
    wait_until(lambda: lorry.job(job_id)["status"] in FINAL_STATUSES, f"the end of job {job_id}")


def wait_until(
    condition: Callable[[], bool],
    what: str,
    *,
    within_seconds: float = _DEADLINE_SECONDS,
    pause_seconds: float = _PAUSE_SECONDS,
) -> None:
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"error: {what} did not come within {within_seconds:.0f} s.")
        time.sleep(pause_seconds)
