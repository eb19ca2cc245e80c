"""Datasets: who owns which, where their files are, and the versions that jobs train on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from orchestrator.domain.dataset import Dataset, DatasetItem, DatasetVersion, ItemChanges, SentPicture
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


@dataclass(frozen=True, slots=True)
class ItemPage:
    items: tuple[DatasetItem, ...]
    total: int


class DatasetStore(Protocol):
    """Rows. Errors of every method: StoreUnavailable."""

    def add(self, dataset: Dataset, items: Sequence[DatasetItem]) -> None: ...

    def add_items(self, dataset_id: str, items: Sequence[DatasetItem], *, beside: int, at: datetime) -> Dataset:
        """Store more items together with what they make of the dataset; the dataset as it is now.

        Raises NotFound, and Conflict (DATASET_CHANGED) when it does not have `beside` items: others were added.
        """

    def get(self, dataset_id: str, identity: Identity) -> Dataset:
        """Raises NotFound for an unknown id, Refused (DATASET_FORBIDDEN) for another user's; admins may read all."""

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> DatasetPage:
        """Newest first."""

    def items(self, dataset_id: str) -> Sequence[DatasetItem]:
        """All of them, in order of their file names."""

    def item_page(self, dataset_id: str, *, page: int, page_size: int) -> ItemPage:
        """In order of their file names."""

    def item(self, dataset_id: str, item_id: str) -> DatasetItem:
        """Raises NotFound (ITEM_NOT_FOUND)."""

    def change_item(self, dataset_id: str, item_id: str, changes: ItemChanges, *, at: datetime) -> DatasetItem:
        """Store the changes together with what they make of the dataset's counts and hash; the item as it is now.

        Raises NotFound (ITEM_NOT_FOUND).
        """

    def remove(self, dataset_id: str) -> None:
        """Safe to repeat."""


class VersionStore(Protocol):
    """The frozen contents that jobs refer to. Errors of every method: StoreUnavailable."""

    def add(self, version: DatasetVersion) -> None:
        """Does nothing when the dataset has this version already."""

    def get(self, dataset_id: str, sha256: str) -> DatasetVersion:
        """Raises NotFound."""

    def remove(self, dataset_id: str) -> None:
        """All versions of a dataset. Safe to repeat."""


class DatasetFiles(Protocol):
    """Bytes."""

    def store(
        self, dataset_id: str, files: Sequence[UploadedFile], *, strip_exif: bool = False
    ) -> Sequence[DatasetItem]:
        """Check, measure and keep an upload: pictures with same-stem captions, or one zip of them. All or nothing.

        With `strip_exif` pictures are kept upright and without metadata. Raises Rejected with a violation for each bad
        file (unreadable picture, bomb, bad caption, no picture at all) and TooLarge beyond the limits; in both cases
        nothing stays on disk.
        """

    def add(
        self,
        dataset_id: str,
        files: Sequence[UploadedFile],
        *,
        present: Sequence[DatasetItem],
        strip_exif: bool = False,
    ) -> Sequence[SentPicture]:
        """Take an upload, as `store` does, beside the items that the dataset has; one answer a picture.

        One whose bytes are present is not kept again. The limits hold for the dataset as a whole. What is there is
        never touched, also not when the same is sent twice at once.
        """

    def discard(self, items: Sequence[DatasetItem]) -> None:
        """Remove pictures that `add` kept. Safe to repeat. Raises StoreUnavailable when the disk says no."""

    def freeze(self, version: DatasetVersion, *, in_use: Collection[str]) -> str:
        """Absolute path of a folder that holds exactly that version, for a container to mount; made if need be.

        Old versions that are not `in_use` (by hash) may go; any can be made again as long as the dataset is there.
        Raises LaunchRefused: DATASET_MISSING when the dataset's files are gone.
        """

    def locate(self, item: DatasetItem) -> str:
        """Absolute path of a picture, which may not be there."""

    def missing(self, items: Sequence[DatasetItem]) -> Sequence[DatasetItem]:
        """Those whose pictures are not on this disk."""

    def complete(self, item: DatasetItem, fetch: Callable[[str], None]) -> None:
        """Have `fetch` write a missing picture to the path it is given, and put that into place when it is the one.

        A fetch that was cut off finds what it wrote when it is tried again. Raises what `fetch` raises, Rejected
        (OBJECT_CHANGED) for a picture with another sha256, StoreUnavailable when the disk says no.
        """

    def preview(self, item: DatasetItem) -> bytes:
        """A small JPEG of our own making. Raises NotFound (PREVIEW_NOT_FOUND)."""

    def remove(self, dataset_id: str) -> None:
        """With all versions. Safe to repeat. Raises StoreUnavailable when the disk says no."""
