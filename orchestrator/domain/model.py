"""Base models an installation offers, and what of a model on a hub is worth fetching."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

INDEX = "model_index.json"

# Weights only as safetensors: a pickle could run code in the next job. The others are configurations and vocabularies.
MODEL_SUFFIXES = (".json", ".safetensors", ".txt", ".model", ".jinja")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PART_FILE = re.compile(r"(?P<part>[A-Za-z0-9_][A-Za-z0-9_-]{0,63})/[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
# The same weights again in another precision, or averaged: `model.fp16.safetensors`.
_VARIANT = re.compile(r"\.(fp16|fp32|bf16|ema|non_ema)\b")


class ModelSource(StrEnum):
    BUILTIN = "builtin"  # made by the training image itself, offline
    LOCAL = "local"  # a folder somebody put into the model cache
    HUGGINGFACE = "huggingface"  # fetched from the Hugging Face hub when it is first needed


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One line of configs/models.yaml."""

    id: str  # namespace/name
    family: str
    source: ModelSource
    revision: str  # of a hub's model: a commit, or a branch whose commit is recorded when it is fetched
    licence: str
    description: str
    size_bytes: int | None = None  # on disk, about; the hub knows exactly
    memory_bytes: int | None = None  # of a GPU, for its weights; activations come on top
    adapter_bytes: int | None = None  # of an adapter file for each rank it has, about
    text_adapter_bytes: int | None = None  # the same with layers of the text encoders; None: they are not trained
    is_gated: bool = False  # its hub hands it out only to those who accepted its terms
    parts: tuple[str, ...] = ()  # folders of it that are fetched; none: all

    @property
    def folder(self) -> str:
        """Name of the model's folder inside the cache."""
        return self.id.replace("/", "--")

    @property
    def is_fetchable(self) -> bool:
        return self.source is ModelSource.HUGGINGFACE

    @property
    def is_pinned(self) -> bool:
        """Whether its revision can only ever mean one thing."""
        return self.is_fetchable and _COMMIT.fullmatch(self.revision) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A file on a hub. `sha256` is known of large files; of the others `git_sha1`, git's own name for their content."""

    path: str
    size_bytes: int
    sha256: str | None = None
    git_sha1: str | None = None

    def is_made_of(self, chunks: Iterable[bytes]) -> bool:
        """Whether this content, in order, is the file's."""
        if self.sha256 is not None:
            return _hex_digest(hashlib.sha256(), chunks) == self.sha256
        git = hashlib.sha1(b"blob %d\0" % self.size_bytes, usedforsecurity=False)
        return _hex_digest(git, chunks) == self.git_sha1


@dataclass(frozen=True, slots=True)
class ModelSnapshot:
    """A model as it is at one commit: the files that are fetched."""

    revision: str
    files: tuple[ModelFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def is_wanted(path: str, parts: tuple[str, ...]) -> bool:
    """Whether a hub's file belongs to a diffusers folder: its index, or a safe file right in one of the `parts`.

    Names come from the hub, so what is not plain is left where it is.
    """
    if path == INDEX:
        return True
    found = _PART_FILE.fullmatch(path)
    return (
        found is not None
        and path.endswith(MODEL_SUFFIXES)
        and _VARIANT.search(path) is None
        and (not parts or found["part"] in parts)
    )


def _hex_digest(digest: hashlib._Hash, chunks: Iterable[bytes]) -> str:
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
