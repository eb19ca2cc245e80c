"""Files a job produced, after the collector copied them out of the container's reach."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeGuard

# What is collected of a job's outputs. No pickle (.pt, .bin, .ckpt): loading one runs whatever it says. No .html or
# .svg: a browser would.
COLLECTED_SUFFIXES = (".safetensors", ".png", ".jpg", ".webp", ".json", ".jsonl", ".txt", ".md")
# Of a diagnostic job, whose model is one that only the training image will ever load.
DIAGNOSTIC_SUFFIXES = (".pt", ".json", ".jsonl", ".txt")
PICTURE_SUFFIXES = (".png", ".jpg", ".webp")
# Of a picture that is collected while its container runs, and of all of a job's. What is beyond waits for the end.
MAX_LIVE_PICTURE_BYTES = 16 * 1024**2
MAX_LIVE_PICTURES_BYTES = 4 * 1024**3
MAX_LIVE_PICTURES = 2_000
# Of a picture that is shown. One with more is a file like any other: a browser would need gigabytes for it.
MAX_PICTURE_PIXELS = 40_000_000
# In pixels, of a small copy: twice what a cell of a grid has, for screens that have two to one.
THUMBNAIL_SIDE = 320
# What a trainer may write beside a checkpoint's state: the same weights as an adapter file in kohya's format.
CHECKPOINT_ADAPTER = "adapter.safetensors"
_CHECKPOINTS = "checkpoints"


# Of a checkpoint that is collected while its container runs.
MAX_LIVE_CHECKPOINT_BYTES = 8 * 1024**3


class ArtifactKind(StrEnum):
    ADAPTER = "adapter"
    SAMPLE = "sample"
    CHECKPOINT = "checkpoint"
    MODEL_CARD = "model_card"
    MODEL = "model"  # of a diagnostic job
    LOG = "log"
    OTHER = "other"


# What is collected while a container runs, and may be written over after that.
FOUND_AGAIN = frozenset({ArtifactKind.SAMPLE, ArtifactKind.CHECKPOINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One collected file; `path` is relative to the job's artifact folder and was written by us."""

    id: str
    job_id: str
    attempt: int
    kind: ArtifactKind
    name: str
    path: str
    size_bytes: int
    sha256: str
    created_at: datetime
    # Of a sample: whether it is a picture within the bounds, of which there is a small copy. None: not looked at yet.
    is_showable: bool | None = None


@dataclass(frozen=True, slots=True)
class AdapterClaim:
    """An adapter file as the trainer's `result` event names it: a claim until it is verified."""

    path: str
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelClaim:
    """A diagnostic job's model file as its `result` event names it."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample picture, and what the trainer said of it."""

    artifact: Artifact
    step: int | None
    prompt: str | None
    seed: int | None
    weights: Artifact | None = None  # the file that it shows, where that was kept


_CHECKPOINT_NAME = re.compile(r"step-([0-9]{6})")
MAX_ADAPTER_CLAIMS = 8


def adapter_claims(result: dict[str, Any]) -> list[AdapterClaim]:
    """The well-formed claims in a `result` event's fields."""
    listed = result.get("adapters")
    if not isinstance(listed, list):
        return []
    claims = [_claim(entry) for entry in listed[:MAX_ADAPTER_CLAIMS]]
    return [claim for claim in claims if claim is not None]


def _claim(entry: Any) -> AdapterClaim | None:
    if not isinstance(entry, dict):
        return None
    path, file_format, sha256 = entry.get("path"), entry.get("format"), entry.get("sha256")
    if not (isinstance(path, str) and isinstance(file_format, str) and isinstance(sha256, str)):
        return None
    return AdapterClaim(path, file_format, sha256)


def model_claim(result: dict[str, Any]) -> ModelClaim | None:
    """The claim in a diagnostic job's `result` event; None when it is not well-formed."""
    model = result.get("model")
    if not isinstance(model, dict):
        return None
    path, sha256 = model.get("path"), model.get("sha256")
    return ModelClaim(path, sha256) if isinstance(path, str) and isinstance(sha256, str) else None


def sample_of(artifact: Artifact, told: Mapping[str, Any]) -> Sample:
    """`told`: the fields of its `sample` event, which a container wrote."""
    step, prompt, seed = told.get("step"), told.get("prompt"), told.get("seed")
    return Sample(
        artifact,
        step=step if _is_count(step) else None,
        prompt=prompt if isinstance(prompt, str) else None,
        seed=seed if _is_count(seed) else None,
    )


def told_picture(event_type: str, fields: Mapping[str, Any]) -> str | None:
    """The path of the picture that a trainer's event tells of; None for one that tells of none."""
    path = fields.get("path") if event_type == "sample" else None
    is_picture = isinstance(path, str) and path.startswith("samples/") and path.endswith(PICTURE_SUFFIXES)
    return path if is_picture else None


def has_room_for_pictures(samples: Sequence[Artifact]) -> bool:
    """Whether more may be collected of a job that still runs. It could draw, and take away, for ever."""
    total_bytes = sum(sample.size_bytes for sample in samples)
    return len(samples) < MAX_LIVE_PICTURES and total_bytes < MAX_LIVE_PICTURES_BYTES


def listed_once(found: Iterable[Artifact], known: Iterable[Artifact]) -> tuple[list[Artifact], list[str]]:
    """The rows of found files, and the ids of those known rows of samples and checkpoints that they replace.

    Such a file is found again when its container ends, and after each later attempt: with the bytes it had it keeps its
    row, with others the row goes, for they have taken the place of those that it stands for.
    """
    rows, replaced = {file.path: file for file in found}, []
    for listed in known:
        file = rows.get(listed.path)
        if listed.kind not in FOUND_AGAIN or file is None:
            continue
        if (file.kind, file.sha256) == (listed.kind, listed.sha256):
            rows[listed.path] = listed
        else:
            replaced.append(listed.id)
    return list(rows.values()), replaced


def checkpoint_named(wish: str, artifacts: Iterable[Artifact]) -> str | None:
    """The checkpoint that a user means by its folder's name or by the id of one of its files; None: there is none."""
    for artifact in artifacts:
        name = _checkpoint_of(artifact)
        if name is not None and wish in (name, artifact.id):
            return name
    return None


def checkpoint_step(name: str) -> int | None:
    """The step that a checkpoint's folder is named after; None for what is no such name."""
    found = _CHECKPOINT_NAME.fullmatch(name)
    return int(found[1]) if found else None


def checkpoint_name(step: int) -> str:
    """The folder that the protocol has a trainer save this step in."""
    return f"step-{step:06d}"


def checkpoint_adapter(name: str, artifacts: Iterable[Artifact]) -> Artifact | None:
    """The adapter file that a checkpoint's trainer wrote beside its state; of several attempts' the newest, for these
    are the bytes at its path. It may have been registered, and then is of another kind than the rest."""
    path = f"{_CHECKPOINTS}/{name}/{CHECKPOINT_ADAPTER}"
    return max((each for each in artifacts if each.path == path), key=lambda each: each.attempt, default=None)


def is_promotable(artifact: Artifact) -> bool:
    """Whether it is a checkpoint's adapter that was not registered yet."""
    return artifact.kind is ArtifactKind.CHECKPOINT and artifact.name == CHECKPOINT_ADAPTER


def is_promoted(artifact: Artifact) -> bool:
    """Whether a checkpoint's adapter was registered: whatever a later attempt leaves must not take its place."""
    return artifact.kind is ArtifactKind.ADAPTER and artifact.path.startswith(f"{_CHECKPOINTS}/")


def weights_of(
    sample: Sample, artifacts: Sequence[Artifact], *, main: Artifact | None, last_step: Any
) -> Artifact | None:
    """The file that a sample shows: at its job's last step `main`, the adapter, before that a checkpoint's.

    `last_step` as the trainer said it. None: that of its step was not kept, or it shows the base model alone.
    """
    if sample.step is None or sample.step == 0:
        return None
    if main is not None and sample.step == last_step and sample.artifact.attempt == main.attempt:
        return main
    return checkpoint_adapter(checkpoint_name(sample.step), artifacts)


def stale_checkpoints(artifacts: Sequence[Artifact], *, keep: int) -> list[Artifact]:
    """The files of all checkpoints but the `keep` newest; not those that another attempt has as something else."""
    kept = checkpoint_names(artifacts)[-keep:]
    needed = {artifact.path for artifact in artifacts if artifact.kind is not ArtifactKind.CHECKPOINT}
    return [
        artifact
        for artifact in artifacts
        if (name := _checkpoint_of(artifact)) is not None and name not in kept and artifact.path not in needed
    ]


def checkpoint_names(artifacts: Iterable[Artifact]) -> list[str]:
    """Folder names of the checkpoints among collected files, oldest step first."""
    return checkpoint_folders(artifact.path for artifact in artifacts if artifact.kind is ArtifactKind.CHECKPOINT)


def checkpoint_folders(paths: Iterable[str]) -> list[str]:
    """Their folder names in the paths of checkpoint files, oldest step first."""
    return sorted({name for path in paths if (name := _checkpoint_folder(path)) is not None})


def checkpoint_of(artifact: Artifact) -> str | None:
    """The name of the checkpoint that a file is of, also of one that was registered since; None: of none."""
    return _checkpoint_folder(artifact.path) if artifact.path.startswith(f"{_CHECKPOINTS}/") else None


def _checkpoint_of(artifact: Artifact) -> str | None:
    return _checkpoint_folder(artifact.path) if artifact.kind is ArtifactKind.CHECKPOINT else None


def _checkpoint_folder(path: str) -> str | None:
    folders = path.split("/")
    return folders[1] if len(folders) > 2 else None  # noqa: PLR2004 - checkpoints/NAME/FILE


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
