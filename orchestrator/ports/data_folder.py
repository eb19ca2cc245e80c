"""What lies in the data directory, job by job, and taking it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Folder(StrEnum):
    """Folders of the data directory that hold something for each job."""

    OUTPUTS = "outputs"
    LOGS = "logs"
    CONFIGS = "configs"
    ARTIFACTS = "artifacts"


@dataclass(frozen=True, slots=True)
class Staged:
    """A half-built model."""

    name: str
    changed_at: datetime


class DataFolder(Protocol):
    """What containers wrote is hostile: nothing here follows a link or runs out of stack.

    Setting aside raises PortError when the disk says no.
    """

    def job_ids(self, folder: Folder) -> Sequence[str]:
        """Jobs that have something in a folder, in order; whatever is named otherwise is not a job's."""

    def changed_at(self, folder: Folder, job_id: str) -> datetime:
        """When it was last written to, itself; the distant past when it is gone."""

    def size_bytes(self, folder: Folder, job_id: str) -> int:
        """Of the regular files in it; 0 when it is gone."""

    def set_aside(self, folder: Folder, job_id: str) -> None:
        """Move it, in an instant, to where nobody looks for it; `empty_trash` deletes. Safe to repeat."""

    def staged_models(self) -> Sequence[Staged]:
        """Half-built models: being built right now, or left by somebody who was killed meanwhile."""

    def staged_size_bytes(self, name: str) -> int: ...

    def set_staged_aside(self, name: str) -> None: ...

    def empty_trash(self) -> int:
        """Delete what was set aside, also by an earlier process; how much of it is still there, for the next time."""
