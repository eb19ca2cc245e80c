"""Checkpoints that are either whole or absent: written beside, manifest last, then renamed into place."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from lora_trainer.files import writing

TENSORS = "state.safetensors"
ADAPTER = "adapter.safetensors"
MANIFEST = "manifest.json"
STAGING_PREFIX = ".staging-"
DISCARD_PREFIX = ".discarded-"
FROM_SCRATCH = "scratch"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    step: int
    facts: Mapping[str, Any]  # small JSON values the run wants back
    tensors: dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class AdapterContent:
    """What an adapter file of these weights would hold."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


class CheckpointFolder:
    """`identity` names everything that training depends on; checkpoints of another identity are not resumed from.

    `adapter_at` makes what is written beside the state of a step, for whoever wants to use it and not to go on from it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        identity: str,
        keep: int,
        adapter_at: Callable[[int], AdapterContent] | None = None,
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._keep = keep
        self._adapter_at = adapter_at

    def save(self, step: int, tensors: dict[str, Tensor], facts: Mapping[str, Any]) -> Path:
        final = self._folder / self.name_of(step)
        staging = self._folder / f"{STAGING_PREFIX}{final.name}"
        with writing(final):
            self._write(staging, step, tensors, facts)
        _discard(final)
        staging.rename(final)
        _sync(self._folder)
        self._prune()
        return final

    @staticmethod
    def name_of(step: int) -> str:
        return f"step-{step:06d}"

    def _write(self, staging: Path, step: int, tensors: dict[str, Tensor], facts: Mapping[str, Any]) -> None:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        _write_tensors(staging / TENSORS, tensors)
        if self._adapter_at is not None:
            adapter = self._adapter_at(step)
            _write_tensors(staging / ADAPTER, adapter.tensors, adapter.metadata)
        manifest = {
            "v": 1,
            "step": step,
            "identity": self._identity,
            "sha256": sha256_of(staging / TENSORS),
            "facts": dict(facts),
        }
        (staging / MANIFEST).write_text(json.dumps(manifest, allow_nan=False), encoding="utf-8")
        _sync(staging / MANIFEST)

    def find(self, wanted: str | None) -> Checkpoint | None:
        """The one named `wanted`, none for "scratch"; without a wish the newest.

        What is newer than the wish is deleted: it belongs to the try that is given up. One that is damaged or belongs
        to another run is passed over for an older one.
        """
        for folder in self._candidates():
            if wanted is not None and (wanted == FROM_SCRATCH or _name(folder) > wanted):
                _discard(folder)
                continue
            checkpoint = self._read(folder)
            if checkpoint:
                return checkpoint
            print(f"checkpoint {folder.name} is damaged or belongs to another configuration: passed over", flush=True)
        return None

    def _read(self, folder: Path) -> Checkpoint | None:
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            is_ours = manifest["identity"] == self._identity
            if not is_ours or manifest["sha256"] != sha256_of(folder / TENSORS):
                return None
            return Checkpoint(manifest["step"], manifest["facts"], load_file(folder / TENSORS))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _candidates(self) -> list[Path]:
        """Newest first. A save that was killed just before its rename left a whole checkpoint under a hidden name.

        Where that was to replace one of the same step, it may be the only one.
        """
        unnamed = [manifest.parent for manifest in self._folder.glob(f"{STAGING_PREFIX}*/{MANIFEST}")]
        return sorted([*self._newest_first(), *unnamed], key=_name, reverse=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self._folder.glob("step-*"), reverse=True)

    def _prune(self) -> None:
        for stale in self._newest_first()[self._keep :]:
            _discard(stale)
        for prefix in (STAGING_PREFIX, DISCARD_PREFIX):
            for leftover in self._folder.glob(f"{prefix}*"):
                shutil.rmtree(leftover, ignore_errors=True)


def _write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata=metadata)
    path.chmod(0o644)  # safetensors makes private files
    _sync(path)


def _discard(folder: Path) -> None:
    """Renamed first: killed on the way, it leaves no half of a checkpoint under a checkpoint's name."""
    if folder.exists():
        hidden = folder.with_name(f"{DISCARD_PREFIX}{folder.name}")
        shutil.rmtree(hidden, ignore_errors=True)
        folder.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def _name(folder: Path) -> str:
    return folder.name.removeprefix(STAGING_PREFIX)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Onto the disk itself, so that the rename is never seen there before what it names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
