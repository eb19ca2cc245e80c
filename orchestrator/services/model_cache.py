"""What an operator does with the models on disk: check them, and give their room back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.download import DownloadStatus
from orchestrator.domain.errors import Conflict, Rejected
from orchestrator.domain.model import CatalogueEntry
from orchestrator.ports.download_store import DownloadStore
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.model_files import ModelFiles, SpareFolder
from orchestrator.ports.model_store import ModelStore


@dataclass(frozen=True, slots=True)
class Verified:
    """A model that was read from end to end; no problems: it is what the hub promised."""

    entry: CatalogueEntry
    problems: Sequence[str]


class ModelCache:
    def __init__(self, *, store: ModelStore, files: ModelFiles, downloads: DownloadStore, jobs: JobStore) -> None:
        self._store = store
        self._files = files
        self._downloads = downloads
        self._jobs = jobs

    def verify(self, model_ids: Sequence[str] = ()) -> Sequence[Verified]:
        """These models, or all that were fetched. Raises Rejected (MODEL_NOT_ALLOWED)."""
        entries = [self._entry(model_id) for model_id in model_ids] or self._fetched()
        return [Verified(entry, self._files.verify(entry)) for entry in entries]

    def prune(self, model_ids: Sequence[str] = (), *, is_dry_run: bool = False) -> Sequence[SpareFolder]:
        """Remove what nobody needs, and these models; a later job fetches them anew. What was, or would be, removed.

        Raises Rejected (MODEL_NOT_ALLOWED), Conflict (MODEL_IN_USE), and PortError when the disk says no.
        """
        named = [self._entry(model_id) for model_id in model_ids]
        self._require_unused(named)
        under_way = {each.model_id for each in self._downloads.list() if each.status is DownloadStatus.DOWNLOADING}
        spare = [*self._files.spare(self._store.catalogue(), under_way=under_way), *self._folders(named)]
        for folder in () if is_dry_run else spare:
            self._files.remove(folder.name)
        for entry in () if is_dry_run else named:
            self._downloads.forget(entry.id)
        return spare

    def _fetched(self) -> Sequence[CatalogueEntry]:
        return [entry for entry in self._store.catalogue() if entry.is_fetchable and self._files.fetched(entry)]

    def _folders(self, entries: Sequence[CatalogueEntry]) -> Sequence[SpareFolder]:
        found = [(entry.folder, self._files.fetched(entry)) for entry in entries]
        return [SpareFolder(name, fetched.size_bytes) for name, fetched in found if fetched is not None]

    def _require_unused(self, entries: Sequence[CatalogueEntry]) -> None:
        used = {job.base_model for job, _ in self._jobs.active()} | self._downloads.wanted_models()
        if taken := sorted(entry.id for entry in entries if entry.id in used):
            raise Conflict(f"Jobs train on {', '.join(taken)}, or wait to: nothing was removed.", code="MODEL_IN_USE")

    def _entry(self, model_id: str) -> CatalogueEntry:
        known = {entry.id: entry for entry in self._store.catalogue() if entry.is_fetchable}
        if model_id not in known:
            listed = ", ".join(known) or "none"
            raise Rejected(
                f"Base model {model_id!r} is none that is fetched. Those are: {listed}.", code="MODEL_NOT_ALLOWED"
            )
        return known[model_id]
