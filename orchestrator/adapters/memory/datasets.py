"""DatasetStore and DatasetFiles in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from orchestrator.adapters.uploads.arrangement import arrange
from orchestrator.adapters.uploads.intake import receive
from orchestrator.adapters.uploads.picture_check import examine
from orchestrator.domain.dataset import Dataset, DatasetItem, UploadLimits
from orchestrator.domain.errors import LaunchRefused, NotFound, Refused
from orchestrator.domain.identity import Identity
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.dataset_store import DatasetPage, UploadedFile


class MemoryDatasetStore:
    def __init__(self) -> None:
        self._datasets: dict[str, Dataset] = {}
        self._items: dict[str, tuple[DatasetItem, ...]] = {}

    def add(self, dataset: Dataset, items: Sequence[DatasetItem]) -> None:
        self._datasets[dataset.id] = dataset
        self._items[dataset.id] = tuple(sorted(items, key=lambda item: item.file_name))

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

    def remove(self, dataset_id: str) -> None:
        self._datasets.pop(dataset_id, None)
        self._items.pop(dataset_id, None)


class MemoryDatasetFiles:
    """Keeps the real rules of an upload, but decodes pictures in this process."""

    def __init__(self, *, limits: UploadLimits | None = None) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self._limits = limits or UploadLimits()

    def store(self, dataset_id: str, files: Sequence[UploadedFile]) -> Sequence[DatasetItem]:
        kept: dict[int, _Kept] = {}

        def keep(number: int) -> BinaryIO:
            kept[number] = _Kept()
            return kept[number]

        received = receive(files, self._limits, keep)
        findings = [
            examine(io.BytesIO(kept[picture.number].data), self._limits.max_pixels) for picture in received.pictures
        ]
        placed = arrange(dataset_id, received, findings)
        folder = self.files[dataset_id] = {}
        for each in placed:
            folder[each.item.file_name] = kept[each.number].data
            if each.item.caption is not None:
                folder[each.caption_name] = f"{each.item.caption}\n".encode()
        return [each.item for each in placed]

    def locate(self, dataset_id: str) -> str:
        if dataset_id not in self.files:
            raise LaunchRefused(EndReason.DATASET_MISSING, "The dataset's files are no longer there.")
        return f"/memory/datasets/{dataset_id}"

    def remove(self, dataset_id: str) -> None:
        self.files.pop(dataset_id, None)


class _Kept(io.BytesIO):
    """Keeps its bytes when it is closed."""

    data = b""

    def close(self) -> None:
        if not self.closed:
            self.data = self.getvalue()
        super().close()
