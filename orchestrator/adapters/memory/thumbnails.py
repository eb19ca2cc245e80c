"""ThumbnailStore over what a MemoryArtifactStore keeps. It decodes in this process, so only what tests drew."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.adapters.memory.artifact_store import MemoryArtifactStore
from orchestrator.adapters.uploads.picture_check import examine
from orchestrator.domain.artifact import MAX_PICTURE_PIXELS, THUMBNAIL_SIDE, Artifact
from orchestrator.domain.errors import NotFound


class MemoryThumbnails:
    def __init__(self, artifacts: MemoryArtifactStore) -> None:
        self._artifacts = artifacts
        self._on_disk = tempfile.TemporaryDirectory(prefix="lorry-thumbnails-")

    def make(self, samples: Sequence[Artifact]) -> Mapping[str, bool]:
        return {sample.id: self._make(sample) for sample in samples}

    def locate(self, sample: Artifact) -> str | None:
        path = self._path(sample)
        return str(path) if path.is_file() else None

    def _make(self, sample: Artifact) -> bool:
        try:
            picture = io.BytesIO(self._artifacts.open(sample.job_id, sample.path).read())
        except NotFound:
            return False
        preview = io.BytesIO()
        finding = examine(picture, MAX_PICTURE_PIXELS, preview=preview, preview_side=THUMBNAIL_SIDE)
        if "problem" in finding:
            return False
        self._path(sample).write_bytes(preview.getvalue())
        return True

    def _path(self, sample: Artifact) -> Path:
        return Path(self._on_disk.name) / f"{sample.id}.jpg"
