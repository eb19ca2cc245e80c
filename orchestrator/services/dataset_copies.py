"""Copying uploaded pictures to an object store, for orchestrators on other machines than the API's (see `staging`)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from orchestrator.domain.dataset import DatasetItem
from orchestrator.domain.storage import picture_key, user_folder
from orchestrator.ports.clock import Clock
from orchestrator.ports.dataset_store import DatasetFiles
from orchestrator.ports.object_store import ObjectStore
from orchestrator.ports.upload_store import DatasetCopyStore

PICTURES_AT_ONCE = 8


class DatasetCopies:
    def __init__(self, *, store: DatasetCopyStore, files: DatasetFiles, objects: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._files = files
        self._objects = objects
        self._clock = clock

    def put(self, user_id: str, dataset_id: str, items: Sequence[DatasetItem]) -> None:
        """New pictures of a dataset, into the folder of its owner; nothing for one whom only Lorry knows.

        Raises StoreUnavailable and Rejected; what had been copied by then is removed later.
        """
        folder = user_folder(user_id)
        if folder is None:
            return
        keys = {item.id: picture_key(folder, dataset_id, item.file_name) for item in items}
        self._store.begin(dataset_id, list(keys.values()), at=self._clock.now())
        with ThreadPoolExecutor(PICTURES_AT_ONCE, thread_name_prefix="copy") as pool:
            copies = [pool.submit(self._objects.put, keys[item.id], self._files.locate(item)) for item in items]
            try:
                for copy in as_completed(copies):
                    copy.result()
            finally:
                pool.shutdown(cancel_futures=True)
