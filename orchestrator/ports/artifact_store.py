"""Where collected files are kept: a place no container ever sees."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from orchestrator.domain.artifact import COLLECTED_SUFFIXES, AdapterClaim, ModelClaim


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFile:
    """A regular file copied out of a job's outputs; `path` is relative to the job's artifact folder."""

    path: str
    size_bytes: int
    sha256: str


class ArtifactStore(Protocol):
    def collect(
        self, job_id: str, suffixes: tuple[str, ...] = COLLECTED_SUFFIXES, *, spared: Collection[str] = ()
    ) -> Sequence[CollectedFile]:
        """Copy what the job left in its outputs: regular files of these kinds under the size limits, nothing else.

        Files that are here at the paths `spared` stay as they are, and what the job left there is not collected.

        Links, FIFOs, devices, hard links, odd names and deep trees are left out, not followed. Safe to repeat.
        """

    def take(self, job_id: str, path: str, *, limit_bytes: int) -> CollectedFile | None:
        """Copy one file of the outputs of a job that still runs, as `collect` would. Safe to repeat.

        None for what `collect` leaves out, for more than `limit_bytes`, for what is not there, and when the disk says
        no: nothing is lost, `collect` comes by at the end.
        """

    def take_folder(self, job_id: str, path: str, *, limit_bytes: int) -> Sequence[CollectedFile]:
        """Copy the files that lie in one folder of the outputs of a job that still runs, in order. Safe to repeat.

        () where they have more than `limit_bytes` together, where the folder is not there or goes away meanwhile, and
        when the disk says no: nothing is lost, `collect` comes by at the end.
        """

    def verify_adapter(self, job_id: str, claim: AdapterClaim, *, adapts_text: bool = False) -> None:
        """Check a collected adapter file against what the trainer claimed: hash, header, finite and non-zero weights,
        the keys its format needs; with `adapts_text`, layers of text encoders too. Raises Rejected with a sentence."""

    def verify_model(self, job_id: str, claim: ModelClaim) -> None:
        """Check that a collected model file is the claimed one: by its hash alone, for opening it would run it.

        Raises Rejected with a sentence.
        """

    def open(self, job_id: str, path: str) -> BinaryIO:
        """Raises NotFound."""

    def locate(self, job_id: str, path: str) -> str:
        """Absolute path of a stored file, for a server that sends files itself. Raises NotFound."""

    def discard(self, job_id: str, path: str) -> None:
        """Delete one stored file. Safe to repeat."""

    def remove(self, job_id: str) -> None:
        """Delete a job's artifacts. Safe to repeat."""
