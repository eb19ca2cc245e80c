"""Datasets: who owns which, and where their files are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from orchestrator.domain.dataset import Dataset, DatasetItem
from orchestrator.domain.identity import Identity


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file as it came over the wire; the name is the client's and hostile."""

    name: str
    content: BinaryIO


@dataclass(frozen=True, slots=True)
class DatasetPage:
    datasets: tuple[Dataset, ...]
    total: int


class DatasetStore(Protocol):
    """Rows. Errors of every method: StoreUnavailable."""

    def add(self, dataset: Dataset, items: Sequence[DatasetItem]) -> None: ...

    def get(self, dataset_id: str, identity: Identity) -> Dataset:
        """Raises NotFound for an unknown id, Refused (DATASET_FORBIDDEN) for another user's; admins may read all."""

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> DatasetPage:
        """Newest first."""

    def items(self, dataset_id: str) -> Sequence[DatasetItem]:
        """In order of their file names."""

    def remove(self, dataset_id: str) -> None: ...


class DatasetFiles(Protocol):
    """Bytes."""

    def store(self, dataset_id: str, files: Sequence[UploadedFile]) -> Sequence[DatasetItem]:
        """Check and keep an upload: pictures with same-stem captions, or one zip of them. All or nothing.

        Raises Rejected with a violation for each bad file (unreadable picture, bomb, bad caption, no picture at all)
        and TooLarge beyond the limits; in both cases nothing stays on disk.
        """

    def locate(self, dataset_id: str) -> str:
        """Absolute path of the folder a container mounts. Raises LaunchRefused (DATASET_MISSING) without one."""

    def remove(self, dataset_id: str) -> None:
        """Safe to repeat."""
