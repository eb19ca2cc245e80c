"""The closed template of a training container, and what the engine may report about one.

No field a user sends reaches a `ContainerSpec` except through files the trainer reads.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

WORKSPACE = "/workspace"
CONFIG_PATH = f"{WORKSPACE}/config.json"
DATASET_PATH = f"{WORKSPACE}/datasets"
MODELS_PATH = f"{WORKSPACE}/models"
OUTPUT_PATH = f"{WORKSPACE}/outputs"
CACHE_PATH = f"{WORKSPACE}/cache"

# Labels by which a container is known to be ours; containers without our instance label are never touched.
LABEL_INSTANCE = "io.lorry.instance"
LABEL_JOB = "io.lorry.job"
LABEL_ATTEMPT = "io.lorry.attempt"
LABEL_SPEC = "io.lorry.spec"

TRAIN_COMMAND = ("python", "train_lora.py", "--config", CONFIG_PATH)


@dataclass(frozen=True, slots=True)
class Mount:
    """A bind mount; `source` is an absolute host path that already exists."""

    source: str
    target: str
    is_read_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one training container may use."""

    memory_bytes: int
    cpus: float | None
    pids: int
    shm_bytes: int
    tmp_bytes: int
    open_files: int
    log_max_bytes: int
    log_max_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """Everything that differs between two training containers. What never differs (no capability, no network,
    read-only root, no restart) is the runtime adapter's fixed template."""

    name: str
    image: str
    command: tuple[str, ...]
    user: str  # uid:gid
    mounts: tuple[Mount, ...]
    limits: Limits
    devices: tuple[str, ...]  # GPU UUIDs; ("all",) for every GPU; () for none
    labels: dict[str, str]

    @property
    def digest(self) -> str:
        """sha256 over all fields: two equal specs have equal digests."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class ContainerState(StrEnum):
    """Docker's words for where a container is."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of ours as the engine lists it. What stands after `created_at` is only known from an inspect."""

    id: str
    name: str
    job_id: str
    attempt: int
    state: ContainerState
    created_at: datetime | None = None
    started_at: datetime | None = None  # None: never started
    finished_at: datetime | None = None
    exit_code: int | None = None
    is_oom_killed: bool = False
    error: str = ""
    image_digest: str | None = None


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """A complete answer of one engine: what is not listed here does not exist there."""

    engine_id: str
    containers: tuple[Container, ...]
    taken_at: datetime | None = None  # by the engine's own clock, as its containers' instants; None: it was not asked

    def find(self, job_id: str, attempt: int) -> Container | None:
        matches = (c for c in self.containers if c.job_id == job_id and c.attempt == attempt)
        return next(matches, None)


class Presence(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"  # proved by a complete answer of the attempt's own engine
    ELSEWHERE = "elsewhere"  # on an engine that is not the one that answers
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of an attempt's container right now. Unknown changes nothing, elsewhere no more than a cancel."""

    presence: Presence
    container: Container | None = None


def observe(snapshot: EngineSnapshot | None, *, job_id: str, attempt: int, engine_id: str | None) -> Observation:
    """What `snapshot` (None: the engine did not answer) says of an attempt that was launched on `engine_id`."""
    if snapshot is None:
        return Observation(Presence.UNKNOWN)
    if engine_id is not None and snapshot.engine_id != engine_id:
        return Observation(Presence.ELSEWHERE)
    container = snapshot.find(job_id, attempt)
    if container is None:
        return Observation(Presence.ABSENT)
    return Observation(Presence.PRESENT, container)
