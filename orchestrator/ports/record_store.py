"""What is remembered about jobs: history, metrics, artifacts, and the state of the engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestrator.domain.artifact import Artifact
from orchestrator.domain.curves import MOST_POINTS, Curve
from orchestrator.domain.events import JobEvent
from orchestrator.domain.lineage import Lineage
from orchestrator.domain.resources import DeviceMemory
from orchestrator.domain.scheduling import HouseRules


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """The orchestrator's last word about its engine; the API half has no other way to know."""

    last_pass_at: datetime
    unreachable_since: datetime | None = None
    engine_id: str | None = None
    is_image_present: bool = False
    image_digest: str | None = None  # of the image that jobs run in
    devices: tuple[str, ...] = ()
    device_memory: Mapping[str, DeviceMemory] = field(default_factory=dict)  # of GPUs whose driver answers
    problem: str | None = None  # a sentence for people, when something keeps jobs from starting


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectDevice:
    """A device that failed a job and has completed none since."""

    device: str
    reason: str  # a sentence for people
    job_id: str  # the last it failed
    suspect_since: datetime


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    artifacts: tuple[Artifact, ...]
    total: int  # over all pages


class RecordStore(Protocol):
    """Errors of every method: StoreUnavailable when the database does not answer."""

    def events(self, job_id: str, *, after_id: int = 0, limit: int = 1_000) -> Sequence[JobEvent]:
        """History in order of ids, those after `after_id`."""

    def latest_event(self, job_id: str, *, attempt: int, type: str) -> JobEvent | None:  # noqa: A002 - the column's name
        """The newest event of a type, None without one."""

    def curve(self, job_id: str, *, attempt: int | None = None, points: int = MOST_POINTS) -> Curve:
        """A job's metrics, or those of one attempt; a longer series is thinned to about `points` (`curves.thinned`)."""

    def events_of_type(self, job_id: str, type: str) -> Sequence[JobEvent]:  # noqa: A002 - the column's name
        """Every event of a type, in order of ids."""

    def add_artifacts(self, artifacts: Sequence[Artifact]) -> None:
        """Store rows; one that is already there by (job, attempt, path) is left as it is."""

    def artifacts(self, job_id: str) -> Sequence[Artifact]:
        """Oldest first."""

    def artifact(self, artifact_id: str) -> Artifact:
        """Raises NotFound."""

    def checkpoints(self, job_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Folder names of the checkpoints kept of each job, oldest step first; a job without any is left out."""

    def lineage(self, job_id: str) -> Lineage | None:
        """Of the job's newest attempt; None before its first launch."""

    def remove_artifacts(self, artifact_ids: Collection[str]) -> None:
        """Rows only. Safe to repeat."""

    def trained_files(self, user_id: str, *, page: int = 1, page_size: int = 50) -> ArtifactPage:
        """A user's adapters and models, and the weights of each checkpoint, newest first; of a path that several
        attempts wrote, the newest."""

    def save_engine_status(self, status: EngineStatus) -> None: ...

    def mark_suspect(self, devices: Sequence[str], *, reason: str, job_id: str, at: datetime) -> None:
        """Remember that they failed a job. One that already is suspect stays so since then, for the newer reason."""

    def clear_suspect(self, devices: Sequence[str]) -> None: ...

    def suspect_devices(self) -> Sequence[SuspectDevice]:
        """Oldest suspicion first."""

    def house_rules(self) -> HouseRules: ...

    def engine_status(self) -> EngineStatus | None:
        """None before an orchestrator's first pass."""
