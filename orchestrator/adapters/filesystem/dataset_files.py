"""DatasetFiles on a local disk, under the data folder:

datasets/{dataset_id}/00001.png                     pictures as they were uploaded
datasets/{dataset_id}/00002-1f0c9a2e.png            one that was added later
datasets/{dataset_id}/previews/00001.jpg            small copies, made by us
datasets/{dataset_id}/versions/{sha256}/            what a container mounts: links to pictures, and captions
datasets/{dataset_id}/.{sha256}.part                a picture that is being fetched
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from orchestrator.adapters.filesystem.deletion import delete_tree
from orchestrator.adapters.uploads.arrangement import Arrange, Arrangement, arrange, arrange_beside, preview_name
from orchestrator.adapters.uploads.intake import Received, ReceivedPicture, receive
from orchestrator.adapters.uploads.pictures import Finding, ToExamine, examine_all
from orchestrator.domain.dataset import DatasetItem, DatasetVersion, SentPicture, UploadLimits, caption_name
from orchestrator.domain.errors import LaunchRefused, NotFound, Rejected, StoreUnavailable
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.dataset_store import UploadedFile

_STAGING = ".staging-"
_STAGING_SECONDS = 24 * 3600.0  # an upload that takes longer is one whose process was killed
_UNUSED_VERSION_SECONDS = 24 * 3600.0
_PREVIEWS, _VERSIONS = "previews", "versions"
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644
# File systems that make no hard links, or no more of this file.
_NO_LINKS = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP)


class FilesystemDatasetFiles:
    def __init__(self, data_dir: Path, *, limits: UploadLimits | None = None) -> None:
        self._datasets = data_dir / "datasets"
        self._limits = limits or UploadLimits()
        self._freezing = threading.Lock()  # jobs are launched side by side

    def store(
        self, dataset_id: str, files: Sequence[UploadedFile], *, strip_exif: bool = False
    ) -> Sequence[DatasetItem]:
        try:
            with self._staging() as staging:
                arrangement = self._stage(staging, files, partial(arrange, dataset_id), strip_exif=strip_exif)
                staging.rename(self._datasets / dataset_id)
        except OSError as error:
            message = f"The dataset could not be written: {error.strerror}. Check the data folder's disk."
            raise StoreUnavailable(message) from error
        return [each.item for each in arrangement.sent]

    def add(
        self,
        dataset_id: str,
        files: Sequence[UploadedFile],
        *,
        present: Sequence[DatasetItem],
        strip_exif: bool = False,
    ) -> Sequence[SentPicture]:
        beside = partial(arrange_beside, present, self._limits, dataset_id)
        try:
            with self._staging() as staging:
                arrangement = self._stage(staging, files, beside, strip_exif=strip_exif)
                self._move(arrangement, staging, self._datasets / dataset_id)
        except OSError as error:
            message = f"The pictures could not be written: {error.strerror}. Check the data folder's disk."
            raise StoreUnavailable(message) from error
        return arrangement.sent

    def discard(self, items: Sequence[DatasetItem]) -> None:
        try:
            for item in items:
                folder = self._datasets / item.dataset_id
                (folder / item.file_name).unlink(missing_ok=True)
                (folder / _PREVIEWS / preview_name(item.file_name)).unlink(missing_ok=True)
                with suppress(OSError):  # the dataset was deleted meanwhile when its folders are empty
                    (folder / _PREVIEWS).rmdir()
                    folder.rmdir()
        except OSError as error:
            raise StoreUnavailable(f"Pictures could not be deleted: {error.strerror}.") from error

    def freeze(self, version: DatasetVersion, *, in_use: Collection[str]) -> str:
        versions = self._datasets / version.dataset_id / _VERSIONS
        folder = versions / version.sha256
        try:
            with self._freezing:
                if not _is_touched(folder):
                    self._build(version, folder)
                _remove_unused(versions, kept={version.sha256, *in_use})
        except FileNotFoundError as error:
            message = "The dataset's files are no longer there."
            raise LaunchRefused(EndReason.DATASET_MISSING, message) from error
        except OSError as error:
            message = f"The dataset's version could not be written: {error.strerror}. Check the data folder's disk."
            raise LaunchRefused(EndReason.LAUNCH_REFUSED, message) from error
        return str(folder)

    def locate(self, item: DatasetItem) -> str:
        return str(self._datasets / item.dataset_id / item.file_name)

    def missing(self, items: Sequence[DatasetItem]) -> Sequence[DatasetItem]:
        return [item for item in items if not Path(self.locate(item)).exists()]

    def complete(self, item: DatasetItem, fetch: Callable[[str], None]) -> None:
        picture = Path(self.locate(item))
        part = picture.with_name(f".{item.sha256}.part")
        try:
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.parent.chmod(_FOLDER_MODE)
            fetch(str(part))
            _require_digest(part, item)
            part.chmod(_FILE_MODE)
            part.rename(picture)
        except OSError as error:
            message = f"A picture could not be written: {error.strerror}. Check the data folder's disk."
            raise StoreUnavailable(message) from error

    def preview(self, item: DatasetItem) -> bytes:
        path = self._datasets / item.dataset_id / _PREVIEWS / preview_name(item.file_name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise NotFound("This picture has no preview.", code="PREVIEW_NOT_FOUND") from None

    def remove(self, dataset_id: str) -> None:
        """In an instant for everybody else; what a crash leaves of it is swept like an upload's."""
        folder, doomed = self._datasets / dataset_id, self._datasets / f"{_STAGING}{uuid.uuid4().hex}"
        try:
            folder.rename(doomed)
            delete_tree(doomed)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreUnavailable(f"The dataset could not be deleted: {error.strerror}.") from error

    def _stage(
        self, staging: Path, files: Sequence[UploadedFile], arranged: Arrange, *, strip_exif: bool
    ) -> Arrangement:
        def part(number: int, suffix: str = ".part") -> Path:
            return staging / f"{number}{suffix}"

        def keep(number: int) -> BinaryIO:
            return part(number).open("wb")

        received = receive(files, self._limits, keep)
        findings = self._examine(staging, received, strip_exif=strip_exif)
        if strip_exif:
            received.pictures = [
                _cleaned(each, part(each.number), part(each.number, ".clean")) for each in received.pictures
            ]
        arrangement = arranged(received, findings)
        (staging / _PREVIEWS).mkdir()
        for each in arrangement.kept:
            part(each.number).rename(staging / each.item.file_name)
            part(each.number, ".preview").rename(staging / _PREVIEWS / each.preview_name)
        _make_readable(staging)
        return arrangement

    def _move(self, arrangement: Arrangement, staging: Path, folder: Path) -> None:
        """What is kept, from where it was staged into the dataset's folder: all of it or nothing."""
        (folder / _PREVIEWS).mkdir(parents=True, exist_ok=True)
        folder.chmod(_FOLDER_MODE)
        try:
            for each in arrangement.kept:
                (staging / each.item.file_name).rename(folder / each.item.file_name)
                (staging / _PREVIEWS / each.preview_name).rename(folder / _PREVIEWS / each.preview_name)
        except OSError:
            self.discard([each.item for each in arrangement.kept])
            raise

    def _examine(self, staging: Path, received: Received, *, strip_exif: bool) -> list[Finding]:
        numbers = [picture.number for picture in received.pictures]
        wanted = [
            ToExamine(
                staging / f"{number}.part",
                preview=staging / f"{number}.preview",
                clean=staging / f"{number}.clean" if strip_exif else None,
            )
            for number in numbers
        ]
        return examine_all(wanted, self._limits.max_pixels)

    def _build(self, version: DatasetVersion, folder: Path) -> None:
        pictures = folder.parent.parent
        folder.parent.mkdir(exist_ok=True)
        staging = folder.parent / f"{_STAGING}{uuid.uuid4().hex}"
        staging.mkdir()
        try:
            for item in version.items:
                _link(pictures / item.file_name, staging / item.file_name)
                if item.caption is not None:
                    (staging / caption_name(item.file_name)).write_text(item.caption + "\n", encoding="utf-8")
            _make_readable(staging)
            staging.rename(folder)
        finally:
            delete_tree(staging)

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
            if _age_seconds(staging) > _STAGING_SECONDS:
                delete_tree(staging)


def _is_touched(folder: Path) -> bool:
    """Whether the version is there; from now on it counts as just used."""
    try:
        os.utime(folder)
    except FileNotFoundError:
        return False
    return True


def _remove_unused(versions: Path, *, kept: Collection[str]) -> None:
    """Any of them can be made again. Young ones are left: a job may have been given one that is not started yet."""
    for folder in versions.iterdir():
        if folder.name not in kept and _age_seconds(folder) > _UNUSED_VERSION_SECONDS:
            delete_tree(folder)


def _link(source: Path, target: Path) -> None:
    """A second name where the file system can; containers mount it read-only, so neither name's bytes change."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)


def _cleaned(picture: ReceivedPicture, path: Path, clean: Path) -> ReceivedPicture:
    """The picture as it was written anew, in the place of the one that came; a bad one was not."""
    if not clean.exists():
        return picture
    clean.replace(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(picture, size_bytes=path.stat().st_size, sha256=digest)


def _require_digest(part: Path, item: DatasetItem) -> None:
    """Raises Rejected, and takes the part away: going on from its end would never make it right."""
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != item.sha256:
        part.unlink()
        raise Rejected(f"Picture {item.file_name} is not the one that was uploaded.", code="OBJECT_CHANGED")


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0


def _make_readable(folder: Path) -> None:
    """The container's user is neither ours nor in our group; it only ever gets the folder read-only."""
    folder.chmod(_FOLDER_MODE)
    for path in folder.iterdir():
        path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)
