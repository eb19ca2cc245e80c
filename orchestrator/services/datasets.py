"""What a user does with datasets: upload, look, list."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence

from orchestrator.domain.dataset import Dataset, DatasetItem
from orchestrator.domain.identity import Identity
from orchestrator.ports.clock import Clock
from orchestrator.ports.dataset_store import DatasetFiles, DatasetPage, DatasetStore, UploadedFile


class Datasets:
    def __init__(self, *, store: DatasetStore, files: DatasetFiles, clock: Clock) -> None:
        self._store = store
        self._files = files
        self._clock = clock

    def upload(self, identity: Identity, name: str, files: Sequence[UploadedFile]) -> Dataset:
        """Keep pictures and captions as a new dataset of the caller. All or nothing; raises Rejected, TooLarge."""
        dataset_id = str(uuid.uuid4())
        items = self._files.store(dataset_id, files)
        dataset = self._build(dataset_id, identity, name, items)
        try:
            self._store.add(dataset, items)
        except Exception:
            self._files.remove(dataset_id)
            raise
        return dataset

    def get(self, identity: Identity, dataset_id: str) -> Dataset:
        """Raises NotFound, or Refused (DATASET_FORBIDDEN) for another user's."""
        return self._store.get(dataset_id, identity)

    def items(self, identity: Identity, dataset_id: str) -> Sequence[DatasetItem]:
        return self._store.items(self._store.get(dataset_id, identity).id)

    def list(self, identity: Identity, *, page: int, page_size: int) -> DatasetPage:
        return self._store.list(identity.user_id, page=page, page_size=page_size)

    def _build(self, dataset_id: str, identity: Identity, name: str, items: Sequence[DatasetItem]) -> Dataset:
        now = self._clock.now()
        return Dataset(
            id=dataset_id,
            user_id=identity.user_id,
            name=name,
            item_count=len(items),
            captioned_count=sum(item.caption is not None for item in items),
            size_bytes=sum(item.size_bytes for item in items),
            sha256=content_digest(items),
            created_at=now,
            updated_at=now,
        )


def content_digest(items: Iterable[DatasetItem]) -> str:
    """sha256 over pictures and captions in file order; names and times do not count."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda item: item.file_name):
        caption = hashlib.sha256((item.caption or "").encode()).hexdigest()
        digest.update(f"{item.sha256} {caption}\n".encode())
    return digest.hexdigest()
