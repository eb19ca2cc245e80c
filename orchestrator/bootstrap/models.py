"""Base models: what may be asked for, what has to be fetched, and what lies on the disk."""

from __future__ import annotations

from orchestrator.adapters.filesystem.disk import FilesystemDisk
from orchestrator.adapters.filesystem.model_files import FilesystemModelFiles
from orchestrator.adapters.huggingface import HuggingFaceHub
from orchestrator.adapters.sql import SqlDownloadStore
from orchestrator.adapters.thread_steps import ThreadSteps
from orchestrator.bootstrap.adapters import Adapters
from orchestrator.services.model_cache import ModelCache
from orchestrator.services.model_downloads import ModelDownloads
from orchestrator.services.models import ModelHolds, Models
from orchestrator.settings import Settings

# Of one hub over one line: more at a time would only make each of them slower.
_DOWNLOADS_AT_ONCE = 2


def build_models(adapters: Adapters, settings: Settings) -> Models:
    return Models(
        store=adapters.models,
        files=_files(settings),
        downloads=SqlDownloadStore(adapters.database),
        clock=adapters.clock,
    )


def model_holds(adapters: Adapters) -> ModelHolds:
    return ModelHolds(store=adapters.models, downloads=SqlDownloadStore(adapters.database))


def build_model_downloads(adapters: Adapters, settings: Settings) -> ModelDownloads:
    token = settings.hub_token.get_secret_value() if settings.hub_token is not None else None
    return ModelDownloads(
        store=SqlDownloadStore(adapters.database),
        jobs=adapters.jobs,
        models=adapters.models,
        files=_files(settings),
        hub=HuggingFaceHub(endpoint=settings.hub_endpoint, token=token),
        disk=FilesystemDisk(settings.data_dir),
        steps=ThreadSteps(at_once=_DOWNLOADS_AT_ONCE),
        wake_up=adapters.wake_up,
        clock=adapters.clock,
        min_free_bytes=settings.min_free_bytes,
    )


def build_model_cache(adapters: Adapters, settings: Settings) -> ModelCache:
    return ModelCache(
        store=adapters.models,
        files=_files(settings),
        downloads=SqlDownloadStore(adapters.database),
        jobs=adapters.jobs,
    )


def _files(settings: Settings) -> FilesystemModelFiles:
    return FilesystemModelFiles(settings.data_dir.resolve())
