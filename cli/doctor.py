"""`lorry doctor`: is everything here that an installation needs, and what to do about what is not.

Each check takes what it looks at and returns one finding, so each is a line in a table test.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cli.doctor_supabase import check_supabase
from cli.finding import Finding, Level
from cli.settings import unknown_names
from orchestrator import bootstrap
from orchestrator.domain.engine import EngineFacts, engine_warnings
from orchestrator.domain.errors import LorryError
from orchestrator.domain.scheduling import is_cpu
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.settings import Settings

_GIB = 1024**3
_MAX_CLOCK_SKEW_SECONDS = 2.0


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which one would mend things."""
    runtime = bootstrap.container_runtime(settings)
    engine, facts = check_engine(runtime, settings.docker_host)
    return [
        check_names(unknown_names()),
        check_data_dir(settings.data_dir),
        check_disk(settings.data_dir, settings.min_free_bytes),
        check_store(_is_migrated(settings)),
        *check_supabase(settings),
        engine,
        *check_engine_settings(facts, settings.min_free_bytes),
        check_image(runtime, settings.image, settings.allowed_images),
        check_devices(bootstrap.device_inventory(settings).devices(), facts),
    ]


def _is_migrated(settings: Settings) -> bool | LorryError:
    try:
        return bootstrap.is_migrated(settings)
    except LorryError as error:
        return error


def check_engine(runtime: ContainerRuntime, docker_host: str) -> tuple[Finding, EngineFacts | None]:
    """The finding, and what the engine says of itself if it answers."""
    try:
        facts = runtime.facts()
    except LorryError as error:
        advice = "Start it, let this user reach its socket (group docker), or set LORRY_DOCKER_HOST."
        return Finding(Level.FAILING, "engine", f"{docker_host}: {error.message}", advice), None
    return Finding(Level.OK, "engine", f"Docker Engine {facts.version} answers at {docker_host}."), facts


def check_engine_settings(facts: EngineFacts | None, min_free_bytes: int) -> list[Finding]:
    warnings = engine_warnings(facts, min_free_bytes=min_free_bytes) if facts else ()
    return [Finding(Level.WARNING, "engine", warning) for warning in warnings]


def check_image(runtime: ContainerRuntime, image: str, allowed: Sequence[str]) -> Finding:
    try:
        digest = runtime.image_digest(image)
    except LorryError as error:
        return Finding(Level.FAILING, "image", f"Could not look for {image}: {error.message}")
    if digest is None:
        advice = "Build it with `make setup`, or name another one in LORRY_IMAGE."
        return Finding(Level.FAILING, "image", f"The training image {image} is not on this machine.", advice)
    if allowed and image not in allowed and digest not in allowed:
        advice = f"Add {image} or its id to LORRY_ALLOWED_IMAGES."
        return Finding(
            Level.FAILING, "image", f"The training image {image} is not on the list of allowed ones.", advice
        )
    return Finding(Level.OK, "image", f"{image} is present ({digest[:19]}).")


def check_devices(devices: Sequence[str], facts: EngineFacts | None) -> Finding:
    if not devices:
        advice = "Set LORRY_CPU_SLOTS to 1 or more to train on the CPU, or LORRY_GPUS to the GPUs to use."
        return Finding(Level.FAILING, "gpu", "There is neither a GPU nor a CPU slot, so no job can start.", advice)
    if all(map(is_cpu, devices)):
        advice = "For GPUs install NVIDIA's driver and Container Toolkit; LORRY_GPUS=none keeps it so."
        return Finding(Level.WARNING, "gpu", f"No GPU: jobs train on the CPU, {len(devices)} at a time.", advice)
    if facts is not None and not facts.has_nvidia_runtime:
        advice = "If jobs end with gpu_unavailable, install NVIDIA's Container Toolkit and restart the engine."
        return Finding(Level.WARNING, "gpu", f"{len(devices)} GPUs, but the engine lists no nvidia runtime.", advice)
    return Finding(Level.OK, "gpu", f"Jobs get one of: {', '.join(devices)}.")


def check_store(is_migrated: bool | LorryError) -> Finding:
    if isinstance(is_migrated, LorryError):
        advice = "Check LORRY_DATABASE_URL and that the database is running."
        return Finding(Level.FAILING, "store", is_migrated.message, advice)
    if not is_migrated:
        advice = "`lorry serve` brings it there by itself; `lorry migrate` does it now."
        return Finding(Level.WARNING, "store", "The job store is not at this version's schema yet.", advice)
    return Finding(Level.OK, "store", "The job store answers and is at this version's schema.")


def check_data_dir(data_dir: Path) -> Finding:
    """Can we write there, can strangers, and does its clock (a network disk has its own) agree with ours?"""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=data_dir, prefix=".doctor-") as probe:
            skew = abs(Path(probe.name).stat().st_mtime - time.time())
        mode = data_dir.stat().st_mode
    except OSError as error:
        advice = "Give this user the folder, or set LORRY_DATA_DIR to another one."
        return Finding(Level.FAILING, "data", f"Could not write in {data_dir}: {error.strerror}.", advice)
    if mode & stat.S_IWOTH:
        return Finding(Level.WARNING, "data", f"Every user may write in {data_dir}.", f"Run: chmod o-w {data_dir}")
    if skew > _MAX_CLOCK_SKEW_SECONDS:
        advice = "Use a local disk; SQLite and file locks are not safe on a network one."
        return Finding(Level.WARNING, "data", f"The clock of {data_dir} is {skew:.0f} s from this machine's.", advice)
    return Finding(Level.OK, "data", f"{data_dir.resolve()} is ours to write in.")


def check_disk(data_dir: Path, min_free_bytes: int) -> Finding:
    try:
        free = shutil.disk_usage(data_dir).free
    except OSError as error:
        return Finding(Level.FAILING, "disk", f"Could not ask for the free space of {data_dir}: {error.strerror}.")
    message = f"{free / _GIB:.1f} GiB are free in {data_dir}."
    if free < min_free_bytes:
        advice = f"Free some: below {min_free_bytes / _GIB:.1f} GiB (LORRY_MIN_FREE_BYTES) this counts as not ready."
        return Finding(Level.FAILING, "disk", message, advice)
    return Finding(Level.OK, "disk", message)


def check_names(unknown: Sequence[str]) -> Finding:
    if unknown:
        advice = "Look for a slip of the pen; docs/settings.md lists the names."
        return Finding(Level.WARNING, "settings", f"These variables mean nothing here: {', '.join(unknown)}.", advice)
    return Finding(Level.OK, "settings", "Every LORRY_* variable is a known one.")
