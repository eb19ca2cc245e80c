"""Datasets and their items: pictures with captions that belong to one user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
CAPTION_SUFFIX = ".txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """Bounds of one upload. Every one is checked while reading, never trusted from a header."""

    max_bytes: int = 2 * 1024**3  # all files together, unpacked
    max_files: int = 5_000
    max_file_bytes: int = 64 * 1024**2
    max_ratio: int = 100  # unpacked over packed, of a zip and of each member
    max_pixels: int = 40_000_000
    max_caption_length: int = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetItem:
    """One picture. `file_name` is ours, `original_name` the client's (shown, never used as a path)."""

    id: str
    dataset_id: str
    file_name: str
    original_name: str
    caption: str | None
    width: int
    height: int
    size_bytes: int
    sha256: str


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
