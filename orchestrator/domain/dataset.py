"""Datasets, their items, and which of those a job may train on: pictures with captions that belong to one user."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypedDict

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
CAPTION_SUFFIX = ".txt"
MAX_CAPTION_LENGTH = 4_000
TRAINING = "training"  # the use that a picture must be allowed for


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """Bounds of one upload. Every one is checked while reading, never trusted from a header."""

    max_bytes: int = 2 * 1024**3  # all files together, unpacked
    max_files: int = 5_000
    max_file_bytes: int = 64 * 1024**2
    max_ratio: int = 100  # unpacked over packed, of a zip and of each member
    max_pixels: int = 40_000_000
    max_caption_length: int = MAX_CAPTION_LENGTH


class Approval(StrEnum):
    """What a person said of an item."""

    PENDING = "pending"
    LABELED = "labeled"  # approved
    REJECTED = "rejected"


class Exclusion(StrEnum):
    """Why an item is not trained on; where several hold, the first of them counts."""

    NOT_APPROVED = "not_approved"
    PROHIBITED = "prohibited"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetItem:
    """One picture. `file_name` is ours, `original_name` the client's (shown, never used as a path).

    Uploading is approving: whoever wants a second look takes the approval away.
    """

    id: str
    dataset_id: str
    file_name: str
    original_name: str
    caption: str | None
    width: int  # pixels, as displayed
    height: int
    size_bytes: int
    sha256: str
    approval: Approval = Approval.LABELED
    allowed_uses: tuple[str, ...] = (TRAINING,)
    prohibited_uses: tuple[str, ...] = ()
    # Measured at upload; None for what was uploaded before that.
    sharpness: float | None = None  # variance of the Laplacian, of 8-bit grey at 512 pixels a side at most
    dhash: str | None = None  # 64 bits in hex: whether each pixel of 9 x 8 is brighter than its left neighbour

    @property
    def exclusion(self) -> Exclusion | None:
        """Why a job may not train on it; None: it may."""
        if self.approval is not Approval.LABELED:
            return Exclusion.NOT_APPROVED
        if TRAINING in self.prohibited_uses:
            return Exclusion.PROHIBITED
        return None if TRAINING in self.allowed_uses else Exclusion.NOT_ALLOWED


class ItemChanges(TypedDict, total=False):
    """What a user may change of an item; what is absent stays."""

    caption: str | None
    approval: Approval
    allowed_uses: tuple[str, ...]
    prohibited_uses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    id: str
    user_id: str
    name: str
    item_count: int
    captioned_count: int
    size_bytes: int
    sha256: str  # over the items' hashes and captions, in file order: equal content has equal hashes
    created_at: datetime
    updated_at: datetime


class Contents(TypedDict):
    """What a dataset's items make of it."""

    item_count: int
    captioned_count: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture under the client's name, and the item that it is now."""

    name: str
    item: DatasetItem
    is_new: bool  # False: the dataset held the same bytes already


@dataclass(frozen=True, slots=True)
class Selection:
    """The items that pass both gates (a person's approval and the uses), and how many do not, by reason."""

    items: tuple[DatasetItem, ...]
    excluded: Mapping[Exclusion, int]


class VersionItem(NamedTuple):
    """An item as it was when a job was submitted."""

    id: str
    file_name: str
    sha256: str
    caption: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion:
    """What jobs train on: a dataset's selected items at one moment. Equal content is the same version."""

    dataset_id: str
    sha256: str
    items: tuple[VersionItem, ...]
    created_at: datetime


def select_for_training(items: Iterable[DatasetItem]) -> Selection:
    selected: list[DatasetItem] = []
    excluded: Counter[Exclusion] = Counter()
    for item in items:
        if item.exclusion is None:
            selected.append(item)
        else:
            excluded[item.exclusion] += 1
    return Selection(tuple(selected), {reason: excluded[reason] for reason in Exclusion if excluded[reason]})


def version_of(dataset_id: str, items: Sequence[DatasetItem], *, at: datetime) -> DatasetVersion:
    ordered = sorted(items, key=lambda item: item.file_name)
    return DatasetVersion(
        dataset_id=dataset_id,
        sha256=content_digest(ordered),
        items=tuple(VersionItem(item.id, item.file_name, item.sha256, item.caption) for item in ordered),
        created_at=at,
    )


def content_digest(items: Iterable[DatasetItem]) -> str:
    """sha256 over pictures and captions in file order; names, times and approvals do not count."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda item: item.file_name):
        caption = hashlib.sha256((item.caption or "").encode()).hexdigest()
        digest.update(f"{item.sha256} {caption}\n".encode())
    return digest.hexdigest()


def contents_of(items: Sequence[DatasetItem]) -> Contents:
    return Contents(
        item_count=len(items),
        captioned_count=captioned_count(items),
        size_bytes=sum(item.size_bytes for item in items),
        sha256=content_digest(items),
    )


def captioned_count(items: Iterable[DatasetItem]) -> int:
    return sum(item.caption is not None for item in items)


def clean_caption(text: str) -> str | None:
    """One line without control characters; None when nothing is left."""
    return " ".join(without_control(" ".join(text.split())).split()) or None


def without_control(text: str) -> str:
    """Control characters only: the joiners that Persian is written with are format characters and stay."""
    return "".join(character for character in text if unicodedata.category(character) != "Cc")


def caption_name(file_name: str) -> str:
    """The caption file beside a picture."""
    return file_name.rpartition(".")[0] + CAPTION_SUFFIX


def exclusion_sentence(excluded: Mapping[Exclusion, int]) -> str:
    """How many items were left out and why, for people; "" for none."""
    parts = [f"{count} {_EXCLUSION_WORDS[reason]}" for reason, count in excluded.items()]
    return ", ".join(parts)


_EXCLUSION_WORDS = {
    Exclusion.NOT_APPROVED: "not approved",
    Exclusion.PROHIBITED: "prohibited for training",
    Exclusion.NOT_ALLOWED: "not allowed for training",
}
