"""The base models users may choose from, and which of them have to be fetched first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.download import Download, DownloadStatus, waiting_reason
from orchestrator.domain.errors import Conflict, Rejected, Violation
from orchestrator.domain.model import CatalogueEntry, ModelSource
from orchestrator.ports.clock import Clock
from orchestrator.ports.download_store import DownloadStore
from orchestrator.ports.model_files import FetchedModel, ModelFiles
from orchestrator.ports.model_store import ModelStore


@dataclass(frozen=True, slots=True)
class ModelView:
    """`fetched` and `download` only of a model from a hub, once there is something to tell."""

    entry: CatalogueEntry
    is_ready: bool
    fetched: FetchedModel | None = None
    download: Download | None = None

    @property
    def is_usable(self) -> bool:
        """A built-in model is made on its first use, so it can be asked for at any time."""
        return self.is_ready or self.entry.source is ModelSource.BUILTIN

    @property
    def status(self) -> DownloadStatus:
        """`done` only when a job would find it."""
        if self.is_usable:
            return DownloadStatus.DONE
        under_way = self.download is not None and self.download.status is not DownloadStatus.ERROR
        return DownloadStatus.DOWNLOADING if under_way else DownloadStatus.ERROR


class ModelHolds:
    """Which models jobs have to wait for."""

    def __init__(self, *, store: ModelStore, downloads: DownloadStore) -> None:
        self._store = store
        self._downloads = downloads

    def reasons(self) -> Mapping[str, str]:
        """Why jobs wait, by the id of their model. One that could not be fetched holds them until they are ended."""
        missing = [each for each in self._store.catalogue() if each.is_fetchable and not self._store.is_ready(each)]
        if not missing:
            return {}
        downloads = {each.model_id: each for each in self._downloads.list()}
        return {entry.id: waiting_reason(entry.id, downloads.get(entry.id)) for entry in missing}


class Models:
    def __init__(self, *, store: ModelStore, files: ModelFiles, downloads: DownloadStore, clock: Clock) -> None:
        self._store = store
        self._files = files
        self._downloads = downloads
        self._clock = clock

    def catalogue(self) -> Sequence[ModelView]:
        downloads = {each.model_id: each for each in self._downloads.list()}
        return [self._view(entry, downloads.get(entry.id)) for entry in self._store.catalogue()]

    def get(self, model_id: str) -> ModelView:
        """Raises Rejected (MODEL_NOT_ALLOWED)."""
        return self._view(self._entry(model_id, "modelId"), self._downloads.get(model_id))

    def fetch(self, model_id: str) -> ModelView:
        """Have a model fetched that is not here; the download that is under way when there is one.

        Raises Rejected (MODEL_NOT_ALLOWED), Conflict (MODEL_NOT_FETCHABLE).
        """
        view = self.get(model_id)
        if view.is_usable:
            return view
        if not view.entry.is_fetchable:
            raise Conflict(_put_it_there(view.entry), code="MODEL_NOT_FETCHABLE")
        return self._view(view.entry, self._downloads.request(model_id, at=self._clock.now()))

    def require(self, base_model: str) -> ModelView:
        """A model that a job may ask for. Raises Rejected (MODEL_NOT_ALLOWED, MODEL_NOT_READY)."""
        entry = self._entry(base_model, "base_model")
        if entry.source is ModelSource.LOCAL and not self._store.is_ready(entry):
            message = _put_it_there(entry)
            raise Rejected(message, code="MODEL_NOT_READY", details=[Violation("base_model", message, base_model)])
        return ModelView(entry, self._store.is_ready(entry))

    def want(self, base_model: str) -> None:
        """A job will need it: have it fetched if it is not here. A failed download is tried anew."""
        entry = self._entry(base_model, "base_model")
        if entry.is_fetchable and not self._store.is_ready(entry):
            self._downloads.request(entry.id, at=self._clock.now())

    def _entry(self, model_id: str, field: str) -> CatalogueEntry:
        known = {entry.id: entry for entry in self._store.catalogue()}
        if model_id not in known:
            message = f"Base model {model_id!r} is not in the catalogue. Choose one of: {', '.join(known)}."
            raise Rejected(message, code="MODEL_NOT_ALLOWED", details=[Violation(field, message, model_id)])
        return known[model_id]

    def _view(self, entry: CatalogueEntry, download: Download | None) -> ModelView:
        is_ready = self._store.is_ready(entry)
        fetched = self._files.fetched(entry) if entry.is_fetchable and is_ready else None
        return ModelView(entry, is_ready, fetched, download if entry.is_fetchable else None)


def _put_it_there(entry: CatalogueEntry) -> str:
    return f"Base model {entry.id} is not in the model cache: its operator has to put the folder {entry.folder} there."
