"""DatasetStore, VersionStore and DatasetFiles in memory."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from orchestrator.adapters.uploads.arrangement import Arrange, arrange, arrange_beside
from orchestrator.adapters.uploads.intake import receive
from orchestrator.adapters.uploads.picture_check import examine
from orchestrator.domain.dataset import (
    Dataset,
    DatasetItem,
    DatasetVersion,
    ItemChanges,
    SentPicture,
    UploadLimits,
    caption_name,
    contents_of,
)
from orchestrator.domain.errors import Conflict, LaunchRefused, NotFound, Refused, Rejected
from orchestrator.domain.identity import Identity
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.dataset_store import DatasetPage, ItemPage, UploadedFile


class MemoryDatasetStore:
    def __init__(self) -> None:
        self._datasets: dict[str, Dataset] = {}
        self._items: dict[str, tuple[DatasetItem, ...]] = {}

    def add(self, dataset: Dataset, items: Sequence[DatasetItem]) -> None:
        self._datasets[dataset.id] = dataset
        self._items[dataset.id] = tuple(sorted(items, key=lambda item: item.file_name))

    def add_items(self, dataset_id: str, items: Sequence[DatasetItem], *, beside: int, at: datetime) -> Dataset:
        dataset = self._datasets.get(dataset_id)
        if dataset is None:
            raise NotFound(f"There is no dataset {dataset_id}.", code="DATASET_NOT_FOUND")
        present = self._items[dataset_id]
        if len(present) != beside:
            raise Conflict(
                "Other pictures were added to the dataset meanwhile. Send these again.", code="DATASET_CHANGED"
            )
        together = [*present, *items]
        self.add(replace(dataset, **contents_of(together), updated_at=at), together)
        return self._datasets[dataset_id]

    def get(self, dataset_id: str, identity: Identity) -> Dataset:
        dataset = self._datasets.get(dataset_id)
        if dataset is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        if dataset.user_id != identity.user_id and not identity.is_admin:
            raise Refused(f"Dataset {dataset_id} belongs to another user.", code="DATASET_FORBIDDEN")
        return dataset

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> DatasetPage:
        owned = [dataset for dataset in self._datasets.values() if dataset.user_id == user_id]
        owned.sort(key=lambda dataset: (dataset.created_at, dataset.id), reverse=True)
        begin = (page - 1) * page_size
        return DatasetPage(tuple(owned[begin : begin + page_size]), len(owned))

    def items(self, dataset_id: str) -> Sequence[DatasetItem]:
        return self._items.get(dataset_id, ())

    def item_page(self, dataset_id: str, *, page: int, page_size: int) -> ItemPage:
        items = self._items.get(dataset_id, ())
        begin = (page - 1) * page_size
        return ItemPage(items[begin : begin + page_size], len(items))

    def item(self, dataset_id: str, item_id: str) -> DatasetItem:
        found = next((item for item in self.items(dataset_id) if item.id == item_id), None)
        if found is None:
            raise NotFound(f"There is no item {item_id} in this dataset.", code="ITEM_NOT_FOUND")
        return found

    def change_item(self, dataset_id: str, item_id: str, changes: ItemChanges, *, at: datetime) -> DatasetItem:
        old = self.item(dataset_id, item_id)
        new = replace(old, **changes)
        items = tuple(new if item is old else item for item in self._items[dataset_id])
        self._items[dataset_id] = items
        self._datasets[dataset_id] = replace(self._datasets[dataset_id], **contents_of(items), updated_at=at)
        return new

    def remove(self, dataset_id: str) -> None:
        self._datasets.pop(dataset_id, None)
        self._items.pop(dataset_id, None)


class MemoryVersionStore:
    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], DatasetVersion] = {}

    def add(self, version: DatasetVersion) -> None:
        self._versions.setdefault((version.dataset_id, version.sha256), version)

    def get(self, dataset_id: str, sha256: str) -> DatasetVersion:
        try:
            return self._versions[dataset_id, sha256]
        except KeyError:
            raise NotFound(f"Dataset {dataset_id} has no version {sha256}.") from None

    def remove(self, dataset_id: str) -> None:
        self._versions = {key: version for key, version in self._versions.items() if key[0] != dataset_id}


class MemoryDatasetFiles:
    """Keeps the real rules of an upload, but decodes pictures in this process."""

    def __init__(self, *, limits: UploadLimits | None = None) -> None:
        self.files: dict[str, dict[str, bytes]] = {}  # by dataset and path below it
        self._limits = limits or UploadLimits()
        self._parts: dict[str, bytes] = {}

    def store(
        self, dataset_id: str, files: Sequence[UploadedFile], *, strip_exif: bool = False
    ) -> Sequence[DatasetItem]:
        self.files[dataset_id], sent = self._take(files, partial(arrange, dataset_id), strip_exif=strip_exif)
        return [each.item for each in sent]

    def add(
        self,
        dataset_id: str,
        files: Sequence[UploadedFile],
        *,
        present: Sequence[DatasetItem],
        strip_exif: bool = False,
    ) -> Sequence[SentPicture]:
        beside = partial(arrange_beside, present, self._limits, dataset_id)
        kept, sent = self._take(files, beside, strip_exif=strip_exif)
        self.files.setdefault(dataset_id, {}).update(kept)
        return sent

    def discard(self, items: Sequence[DatasetItem]) -> None:
        for item in items:
            folder = self.files.get(item.dataset_id, {})
            folder.pop(item.file_name, None)
            folder.pop(f"previews/{item.file_name.rpartition('.')[0]}.jpg", None)
            if not folder:
                self.files.pop(item.dataset_id, None)

    def _take(
        self, files: Sequence[UploadedFile], arranged: Arrange, *, strip_exif: bool
    ) -> tuple[dict[str, bytes], Sequence[SentPicture]]:
        kept: dict[int, _Kept] = {}

        def keep(number: int) -> BinaryIO:
            kept[number] = _Kept()
            return kept[number]

        received = receive(files, self._limits, keep)
        findings, previews = [], {}
        for place, picture in enumerate(received.pictures):
            preview, clean = io.BytesIO(), io.BytesIO() if strip_exif else None
            came = io.BytesIO(kept[picture.number].data)
            findings.append(examine(came, self._limits.max_pixels, preview=preview, clean=clean))
            previews[picture.number] = preview.getvalue()
            if clean is not None:
                data = kept[picture.number].data = clean.getvalue()
                received.pictures[place] = replace(picture, size_bytes=len(data), sha256=sha256(data).hexdigest())
        folder: dict[str, bytes] = {}
        arrangement = arranged(received, findings)
        for each in arrangement.kept:
            folder[each.item.file_name] = kept[each.number].data
            folder[f"previews/{each.preview_name}"] = previews[each.number]
        return folder, arrangement.sent

    def freeze(self, version: DatasetVersion, *, in_use: Collection[str]) -> str:  # noqa: ARG002 - nothing grows old here
        folder = self.files.get(version.dataset_id, {})
        top = f"versions/{version.sha256}"
        for item in version.items:
            if item.file_name not in folder:
                raise LaunchRefused(EndReason.DATASET_MISSING, "The dataset's files are no longer there.")
            folder[f"{top}/{item.file_name}"] = folder[item.file_name]
            if item.caption is not None:
                folder[f"{top}/{caption_name(item.file_name)}"] = f"{item.caption}\n".encode()
        return f"/memory/datasets/{version.dataset_id}/{top}"

    def locate(self, item: DatasetItem) -> str:
        return f"/memory/datasets/{item.dataset_id}/{item.file_name}"

    def missing(self, items: Sequence[DatasetItem]) -> Sequence[DatasetItem]:
        return [item for item in items if item.file_name not in self.files.get(item.dataset_id, {})]

    def complete(self, item: DatasetItem, fetch: Callable[[str], None]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder, item.sha256)
            part.write_bytes(self._parts.pop(item.sha256, b""))
            try:
                fetch(str(part))
            except BaseException:
                self._parts[item.sha256] = part.read_bytes()
                raise
            data = part.read_bytes()
        if sha256(data).hexdigest() != item.sha256:
            raise Rejected(f"Picture {item.file_name} is not the one that was uploaded.", code="OBJECT_CHANGED")
        self.files.setdefault(item.dataset_id, {})[item.file_name] = data

    def preview(self, item: DatasetItem) -> bytes:
        path = f"previews/{item.file_name.rpartition('.')[0]}.jpg"
        try:
            return self.files[item.dataset_id][path]
        except KeyError:
            raise NotFound("This picture has no preview.", code="PREVIEW_NOT_FOUND") from None

    def remove(self, dataset_id: str) -> None:
        self.files.pop(dataset_id, None)


class _Kept(io.BytesIO):
    """Keeps its bytes when it is closed."""

    data = b""

    def close(self) -> None:
        if not self.closed:
            self.data = self.getvalue()
        super().close()
