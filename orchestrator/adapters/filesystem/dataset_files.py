"""DatasetFiles on a local disk: datasets/{dataset_id}/ under the data folder, pictures and captions side by side."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.uploads.arrangement import Placed, arrange
from orchestrator.adapters.uploads.intake import receive
from orchestrator.adapters.uploads.pictures import examine_all
from orchestrator.domain.dataset import DatasetItem, UploadLimits
from orchestrator.domain.errors import LaunchRefused, StoreUnavailable
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.dataset_store import UploadedFile

_STAGING = ".staging-"
_STAGING_SECONDS = 24 * 3600.0  # an upload that takes longer is one whose process was killed


class FilesystemDatasetFiles:
    def __init__(self, data_dir: Path, *, limits: UploadLimits | None = None) -> None:
        self._datasets = data_dir / "datasets"
        self._limits = limits or UploadLimits()

    def store(self, dataset_id: str, files: Sequence[UploadedFile]) -> Sequence[DatasetItem]:
        try:
            with self._staging() as staging:
                placed = self._stage(staging, dataset_id, files)
                staging.rename(self._datasets / dataset_id)
        except OSError as error:
            message = f"The dataset could not be written: {error.strerror}. Check the data folder's disk."
            raise StoreUnavailable(message) from error
        return [each.item for each in placed]

    def locate(self, dataset_id: str) -> str:
        folder = self._datasets / dataset_id
        if folder.is_symlink() or not folder.is_dir():
            raise LaunchRefused(EndReason.DATASET_MISSING, "The dataset's files are no longer there.")
        return str(folder)

    def remove(self, dataset_id: str) -> None:
        delete_tree(self._datasets / dataset_id)

    def _stage(self, staging: Path, dataset_id: str, files: Sequence[UploadedFile]) -> list[Placed]:
        def part(number: int) -> Path:
            return staging / f"{number}.part"

        def keep(number: int) -> BinaryIO:
            return part(number).open("wb")

        received = receive(files, self._limits, keep)
        findings = examine_all([part(picture.number) for picture in received.pictures], self._limits.max_pixels)
        placed = arrange(dataset_id, received, findings)
        for each in placed:
            part(each.number).rename(staging / each.item.file_name)
            if each.item.caption is not None:
                (staging / each.caption_name).write_text(each.item.caption + "\n", encoding="utf-8")
        _make_readable(staging)
        return placed

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A folder of its own that is gone afterwards, unless it was renamed into place."""
        self._datasets.mkdir(parents=True, exist_ok=True)
        self._sweep()
        staging = self._datasets / f"{_STAGING}{uuid.uuid4().hex}"
        staging.mkdir()
        try:
            yield staging
        finally:
            delete_tree(staging)

    def _sweep(self) -> None:
        """Remove what uploads left behind whose process was killed."""
        for staging in self._datasets.glob(f"{_STAGING}*"):
            if time.time() - staging.stat().st_mtime > _STAGING_SECONDS:
                delete_tree(staging)


def _make_readable(folder: Path) -> None:
    """The container's user is neither ours nor in our group; it only ever gets the folder read-only."""
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
