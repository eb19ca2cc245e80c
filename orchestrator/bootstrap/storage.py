"""What lies in Supabase Storage, where there is one."""

from __future__ import annotations

from orchestrator.adapters.filesystem.disk import FilesystemDisk
from orchestrator.adapters.sql import SqlDatasetCopyStore, SqlUploadStore
from orchestrator.adapters.supabase import Bucket
from orchestrator.adapters.thread_steps import ThreadSteps
from orchestrator.bootstrap.adapters import Adapters
from orchestrator.services.dataset_copies import DatasetCopies
from orchestrator.services.records import ArtifactCopies
from orchestrator.services.staging import Staging, StagingLimits
from orchestrator.services.uploads import Removal, Uploads
from orchestrator.settings import Settings

_DATASETS_AT_ONCE = 4


def build_uploads(adapters: Adapters) -> Uploads | None:
    bucket = _artifact_bucket(adapters)
    if bucket is None:
        return None
    store, clock = SqlUploadStore(adapters.database), adapters.clock
    removals = [Removal(copies=store, objects=bucket, clock=clock)]
    pictures = _dataset_bucket(adapters)
    if pictures is not None:
        removals.append(Removal(copies=SqlDatasetCopyStore(adapters.database), objects=pictures, clock=clock))
    return Uploads(store=store, artifacts=adapters.artifacts, objects=bucket, removals=removals, clock=clock)


def build_staging(adapters: Adapters, settings: Settings) -> Staging:
    return Staging(
        jobs=adapters.jobs,
        datasets=adapters.datasets,
        versions=adapters.versions,
        files=adapters.dataset_files,
        objects=_dataset_bucket(adapters),
        disk=FilesystemDisk(settings.data_dir),
        steps=ThreadSteps(at_once=_DATASETS_AT_ONCE),
        wake_up=adapters.wake_up,
        clock=adapters.clock,
        limits=StagingLimits(max_bytes=settings.max_upload_bytes, min_free_bytes=settings.min_free_bytes),
    )


def artifact_copies(adapters: Adapters) -> ArtifactCopies | None:
    bucket = _artifact_bucket(adapters)
    return ArtifactCopies(SqlUploadStore(adapters.database), bucket, adapters.clock) if bucket else None


def dataset_copies(adapters: Adapters) -> DatasetCopies | None:
    bucket = _dataset_bucket(adapters)
    if bucket is None:
        return None
    store = SqlDatasetCopyStore(adapters.database)
    return DatasetCopies(store=store, files=adapters.dataset_files, objects=bucket, clock=adapters.clock)


def _artifact_bucket(adapters: Adapters) -> Bucket | None:
    return adapters.supabase.artifacts if adapters.supabase else None


def _dataset_bucket(adapters: Adapters) -> Bucket | None:
    return adapters.supabase.datasets if adapters.supabase else None
