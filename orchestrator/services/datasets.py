"""What a user does with datasets: upload, look, list, curate, judge, delete."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from orchestrator.domain.dataset import (
    Dataset,
    DatasetItem,
    ItemChanges,
    SentPicture,
    contents_of,
    select_for_training,
)
from orchestrator.domain.dataset_report import DatasetReport, Problem, report_on
from orchestrator.domain.errors import Conflict, DiskFull, NotFound, Refused
from orchestrator.domain.identity import Identity
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.recommendations import Recommendation, recommendations
from orchestrator.domain.training import TrainingConfig, TrainingType
from orchestrator.ports.clock import Clock
from orchestrator.ports.dataset_store import (
    DatasetFiles,
    DatasetPage,
    DatasetStore,
    ItemPage,
    UploadedFile,
    VersionStore,
)
from orchestrator.ports.disk import Disk
from orchestrator.ports.job_store import JobFilter, JobStore
from orchestrator.services.dataset_copies import DatasetCopies

_GIB = 1024**3
# Under which the id of a dataset follows from whose it is and the key that it was uploaded with.
_KEYED = uuid.UUID("6f2b6f2e-5c1d-4f0b-9a55-1d0f4a7c2e91")
_UNFINISHED = tuple(status for status in JobStatus if not status.is_final)


class Datasets:
    """`copies` None: pictures are kept on this disk alone."""

    def __init__(
        self,
        *,
        store: DatasetStore,
        versions: VersionStore,
        files: DatasetFiles,
        jobs: JobStore,
        clock: Clock,
        disk: Disk,
        min_free_bytes: int,
        copies: DatasetCopies | None = None,
    ) -> None:
        self._store = store
        self._versions = versions
        self._files = files
        self._jobs = jobs
        self._clock = clock
        self._disk = disk
        self._min_free_bytes = min_free_bytes
        self._copies = copies

    def require_room(self, upload_bytes: int) -> None:
        """Before an upload of that size, or of an unknown one (0), is read. Raises DiskFull."""
        free_bytes = self._disk.free_bytes()
        if free_bytes - upload_bytes < self._min_free_bytes:
            found = f"Only {free_bytes / _GIB:.1f} GiB are free in the data directory."
            raise DiskFull(f"{found} Nothing was kept; try again later.")

    def upload(
        self,
        identity: Identity,
        name: str,
        files: Sequence[UploadedFile],
        *,
        strip_exif: bool = False,
        key: str | None = None,
    ) -> Dataset:
        """Keep pictures and captions as a new dataset of the caller. All or nothing; raises Rejected, TooLarge,
        StoreUnavailable.

        What comes again under the caller's same `key` is answered with the dataset that it made.
        """
        dataset_id = str(uuid.uuid5(_KEYED, f"{identity.user_id} {key}") if key else uuid.uuid4())
        if key and (made := self._made(identity, dataset_id)):
            return made
        items = self._files.store(dataset_id, files, strip_exif=strip_exif)
        dataset = self._build(dataset_id, identity, name, items)
        try:
            if self._copies is not None:
                self._copies.put(identity.user_id, dataset_id, items)
            self._store.add(dataset, items)
        except Exception:
            self._files.remove(dataset_id)
            raise
        return dataset

    def add_items(
        self, identity: Identity, dataset_id: str, files: Sequence[UploadedFile], *, strip_exif: bool = False
    ) -> tuple[Dataset, Sequence[SentPicture]]:
        """Take more pictures and captions into it, for later jobs; what became of each picture. All or nothing.

        Raises what `upload` does, and Conflict (DATASET_CHANGED) when another upload to it was quicker.
        """
        dataset = self._owned(identity, dataset_id)
        present = self._store.items(dataset.id)
        sent = self._files.add(dataset.id, files, present=present, strip_exif=strip_exif)
        new = [each.item for each in sent if each.is_new]
        if not new:
            return dataset, sent
        return self._add(dataset, new, beside=len(present)), sent

    def require_owner(self, identity: Identity, dataset_id: str) -> None:
        """Raises NotFound, or Refused (DATASET_FORBIDDEN) for anybody else."""
        self._owned(identity, dataset_id)

    def get(self, identity: Identity, dataset_id: str) -> Dataset:
        """Raises NotFound, or Refused (DATASET_FORBIDDEN) for another user's."""
        return self._store.get(dataset_id, identity)

    def list(self, identity: Identity, *, page: int, page_size: int) -> DatasetPage:
        return self._store.list(identity.user_id, page=page, page_size=page_size)

    def items(self, identity: Identity, dataset_id: str, *, page: int, page_size: int) -> ItemPage:
        dataset = self._store.get(dataset_id, identity)
        return self._store.item_page(dataset.id, page=page, page_size=page_size)

    def items_with(
        self, identity: Identity, dataset_id: str, problem: Problem, *, resolution: int, page: int, page_size: int
    ) -> ItemPage:
        """Those that the report at `resolution` finds the problem in, in the same order as all."""
        items = self._store.items(self._store.get(dataset_id, identity).id)
        findings = report_on(items, resolution=resolution).findings
        wanted = {item_id for found in findings if found.problem is problem for item_id in found.item_ids}
        chosen = [item for item in items if item.id in wanted]
        return ItemPage(tuple(chosen[(page - 1) * page_size : page * page_size]), len(chosen))

    def preview(self, identity: Identity, dataset_id: str, item_id: str) -> bytes:
        """A small JPEG of an item. Raises NotFound (ITEM_NOT_FOUND, PREVIEW_NOT_FOUND)."""
        dataset = self._store.get(dataset_id, identity)
        return self._files.preview(self._store.item(dataset.id, item_id))

    def report(self, identity: Identity, dataset_id: str, *, resolution: int) -> DatasetReport:
        """What is wrong with it for training at `resolution`, and what to do about that."""
        dataset = self._store.get(dataset_id, identity)
        return report_on(self._store.items(dataset.id), resolution=resolution)

    def recommendations(
        self,
        identity: Identity,
        dataset_id: str,
        type: TrainingType,  # noqa: A002 - the contract's word
    ) -> Sequence[Recommendation]:
        """Where settings other than the defaults would suit it better."""
        dataset = self._store.get(dataset_id, identity)
        items = select_for_training(self._store.items(dataset.id)).items
        return recommendations(items, type=type, config=TrainingConfig())

    def change_item(self, identity: Identity, dataset_id: str, item_id: str, changes: ItemChanges) -> DatasetItem:
        """For its owner alone, and for later jobs: those submitted already keep what they were submitted with.

        Raises NotFound (ITEM_NOT_FOUND).
        """
        dataset = self._owned(identity, dataset_id)
        return self._store.change_item(dataset.id, item_id, changes, at=self._clock.now())

    def delete(self, identity: Identity, dataset_id: str) -> Dataset:
        """Raises Conflict (DATASET_IN_USE) while a job that has not ended was submitted with it."""
        dataset = self._owned(identity, dataset_id)
        jobs = self._jobs.list(JobFilter(dataset_id=dataset.id, statuses=_UNFINISHED), page_size=1)
        if jobs.jobs:
            message = (
                f"Dataset {dataset.id} is used by {jobs.total} jobs that have not ended, such as {jobs.jobs[0].id}."
            )
            raise Conflict(f"{message} Cancel them first, or wait.", code="DATASET_IN_USE")
        # The row goes last: whatever breaks in between, its owner can ask again.
        self._files.remove(dataset.id)
        self._versions.remove(dataset.id)
        self._store.remove(dataset.id)
        return dataset

    def _add(self, dataset: Dataset, items: Sequence[DatasetItem], *, beside: int) -> Dataset:
        try:
            if self._copies is not None:
                self._copies.put(dataset.user_id, dataset.id, items)
        except Exception:
            self._files.discard(items)
            raise
        try:
            return self._store.add_items(dataset.id, items, beside=beside, at=self._clock.now())
        except (NotFound, Conflict):  # after anything else the rows may be there, and then need their pictures
            self._files.discard(items)
            raise

    def _made(self, identity: Identity, dataset_id: str) -> Dataset | None:
        try:
            return self._store.get(dataset_id, identity)
        except NotFound:
            return None

    def _owned(self, identity: Identity, dataset_id: str) -> Dataset:
        dataset = self._store.get(dataset_id, identity)
        if dataset.user_id != identity.user_id:
            raise Refused(f"Only the owner of dataset {dataset_id} may change it.", code="DATASET_FORBIDDEN")
        return dataset

    def _build(self, dataset_id: str, identity: Identity, name: str, items: Sequence[DatasetItem]) -> Dataset:
        now = self._clock.now()
        return Dataset(
            id=dataset_id,
            user_id=identity.user_id,
            name=name,
            created_at=now,
            updated_at=now,
            **contents_of(items),
        )
