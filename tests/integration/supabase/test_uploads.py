"""What completed jobs left is copied to the project's Storage, sooner or later, and never lost on the way."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.memory import ManualClock
from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore, SqlUploadStore
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import training_jobs
from orchestrator.adapters.supabase import Bucket
from orchestrator.adapters.supabase.bucket import PIECE_BYTES
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.errors import NotFound, StoreUnavailable, TooLarge
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason
from orchestrator.services.uploads import Removal, Uploads
from tests.factories import NOW, make_attempt, make_job
from tests.integration.supabase.conftest import Install
from tests.integration.supabase.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseServer

ADAPTER = "adapter.safetensors"


@pytest.fixture
def bucket(supabase: SupabaseServer) -> Iterator[Bucket]:
    bucket = Bucket(supabase.url, SECRET_KEY, "adapters")
    yield bucket
    bucket.close()


class Files:
    """An ArtifactStore as far as it is asked where files are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, job_id: str, path: str, data: bytes) -> Path:
        file = self._folder / job_id / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def locate(self, job_id: str, path: str) -> str:
        file = self._folder / job_id / path
        if not file.is_file():
            raise NotFound("There is no such artifact.")
        return str(file)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "artifacts")


@pytest.fixture
def store(migrated: Database) -> SqlUploadStore:
    return SqlUploadStore(migrated)


@pytest.fixture
def uploads(store: SqlUploadStore, files: Any, bucket: Bucket) -> Uploads:
    removals = [Removal(copies=store, objects=bucket, clock=ManualClock())]
    return Uploads(store=store, artifacts=files, objects=bucket, removals=removals, clock=ManualClock())


@pytest.fixture
def leave(migrated: Database, files: Files) -> Any:
    """Makes a job that has ended and left one file; returns its artifact."""

    def make(
        user_id: str,
        data: bytes = b"weights",
        *,
        path: str = ADAPTER,
        kind: ArtifactKind = ArtifactKind.ADAPTER,
        reason: EndReason = EndReason.ADAPTER_VERIFIED,
    ) -> Artifact:
        job = make_job(user_id=user_id)
        jobs = SqlJobStore(migrated)
        jobs.add(job, status_event(None, job, "Submitted."))
        claimed = job.claimed(slot=1, devices=(f"cpu-{job.id}",), at=NOW)
        attempt = make_attempt(job, devices=claimed.gpu_ids)
        claimed = jobs.claim(claimed, attempt, status_event(job, claimed, "Launching."))
        running = jobs.save(claimed.running(started_at=NOW, at=NOW))
        jobs.save(running.ended(reason, at=NOW))
        files.write(job.id, path, data)
        artifact = Artifact(
            id=str(uuid.uuid4()),
            job_id=job.id,
            attempt=1,
            kind=kind,
            name=Path(path).name,
            path=path,
            size_bytes=len(data),
            sha256="0" * 64,
            created_at=NOW,
        )
        SqlRecordStore(migrated).add_artifacts([artifact])
        return artifact

    return make


def key_of(artifact: Artifact, user_id: str) -> tuple[str, str]:
    return ("adapters", f"{user_id}/{artifact.job_id}/{artifact.path}")


def test_the_files_of_a_completed_job_lie_in_the_folder_of_its_owner(
    uploads: Uploads, supabase: SupabaseServer, leave: Any, user: str
) -> None:
    adapter = leave(user)
    sample = leave(user, b"picture", path="samples/00100.png", kind=ArtifactKind.SAMPLE)
    assert uploads.copy_pending(threading.Event())
    assert supabase.storage.objects == {key_of(adapter, user): b"weights", key_of(sample, user): b"picture"}
    assert supabase.storage.media_types[key_of(sample, user)] == "image/png"


def test_a_file_is_copied_once(uploads: Uploads, supabase: SupabaseServer, leave: Any, user: str) -> None:
    leave(user)
    uploads.copy_pending(threading.Event())
    asked = supabase.asked.total()
    uploads.copy_pending(threading.Event())
    assert supabase.asked.total() == asked


@pytest.mark.parametrize(
    "left",
    [
        {"kind": ArtifactKind.CHECKPOINT, "path": "checkpoints/step-100/adapter.safetensors"},
        {"reason": EndReason.TRAINER_FAILED},
    ],
)
def test_what_is_only_of_use_here_stays_here(
    uploads: Uploads, supabase: SupabaseServer, leave: Any, user: str, left: dict[str, Any]
) -> None:
    leave(user, **left)
    uploads.copy_pending(threading.Event())
    assert not supabase.storage.objects


@pytest.mark.parametrize("user_id", ["alice", "../somebody", "{7c9e6679-7425-40de-944b-e07fc1f90ae7}/x"])
def test_a_user_whom_only_lorry_knows_has_no_folder_and_holds_up_nobody(
    uploads: Uploads, store: SqlUploadStore, supabase: SupabaseServer, leave: Any, user_id: str
) -> None:
    leave(user_id)
    assert uploads.copy_pending(threading.Event())
    assert not supabase.storage.objects
    assert not store.pending(after_id="", limit=10)


def test_an_outage_puts_a_copy_off_and_loses_nothing(
    uploads: Uploads, supabase: SupabaseServer, files: Files, leave: Any, user: str
) -> None:
    artifact = leave(user)
    supabase.broken.add("/storage")
    with pytest.raises(StoreUnavailable):
        uploads.copy_pending(threading.Event())
    assert Path(files.locate(artifact.job_id, ADAPTER)).read_bytes() == b"weights"
    supabase.broken.clear()
    assert uploads.copy_pending(threading.Event())
    assert supabase.storage.objects == {key_of(artifact, user): b"weights"}


def test_a_file_that_is_refused_does_not_hold_up_the_others(
    uploads: Uploads, supabase: SupabaseServer, leave: Any, user: str
) -> None:
    supabase.storage.max_bytes = 100
    too_large, fitting = leave(user, b"x" * 200), leave(user)
    assert not uploads.copy_pending(threading.Event())
    assert supabase.storage.objects == {key_of(fitting, user): b"weights"}
    supabase.storage.max_bytes = 1000
    assert uploads.copy_pending(threading.Event())
    assert key_of(too_large, user) in supabase.storage.objects


def test_a_file_that_is_gone_is_not_waited_for(
    uploads: Uploads, store: SqlUploadStore, files: Files, leave: Any, user: str
) -> None:
    artifact = leave(user)
    Path(files.locate(artifact.job_id, ADAPTER)).unlink()
    assert uploads.copy_pending(threading.Event())
    assert not store.pending(after_id="", limit=10)


def test_the_copies_of_a_deleted_job_are_removed_sooner_or_later(
    uploads: Uploads, migrated: Database, supabase: SupabaseServer, leave: Any, user: str
) -> None:
    store, gone, kept = SqlUploadStore(migrated), leave(user), leave(user)
    uploads.copy_pending(threading.Event())
    assert store.object_key(gone.id) == key_of(gone, user)[1]
    with migrated.write() as connection:
        connection.execute(training_jobs.delete().where(training_jobs.c.id == gone.job_id))
    supabase.broken.add("/storage")
    with pytest.raises(StoreUnavailable):
        uploads.remove_left_over(threading.Event())
    supabase.broken.clear()
    uploads.remove_left_over(threading.Event())
    assert set(supabase.storage.objects) == {key_of(kept, user)}
    assert store.object_key(gone.id) is None


def test_files_are_copied_where_a_secret_key_is_set(install: Install) -> None:
    assert install().lorry.uploads is None
    assert install(supabase_secret_key=SECRET_KEY).lorry.uploads is not None


@pytest.mark.parametrize("cuts", [0, 2])
def test_a_large_file_goes_in_pieces_that_outlive_a_lost_connection(
    bucket: Bucket, supabase: SupabaseServer, tmp_path: Path, cuts: int
) -> None:
    data = os.urandom(PIECE_BYTES * 2 + 1000)
    file = tmp_path / ADAPTER
    file.write_bytes(data)
    supabase.storage.cuts = cuts
    bucket.put("user/job/adapter.safetensors", str(file))
    assert supabase.storage.objects["adapters", "user/job/adapter.safetensors"] == data
    assert supabase.storage.piece_sizes == [PIECE_BYTES, PIECE_BYTES, 1000]


@pytest.mark.parametrize("size", [200, PIECE_BYTES + 1])
def test_a_file_over_the_limit_is_said_to_be(
    bucket: Bucket, supabase: SupabaseServer, tmp_path: Path, size: int
) -> None:
    file = tmp_path / ADAPTER
    file.write_bytes(b"x" * size)
    supabase.storage.max_bytes = 100
    with pytest.raises(TooLarge, match="limit"):
        bucket.put("user/job/a", str(file))


@pytest.mark.parametrize("size", [200, PIECE_BYTES + 1])
def test_a_bucket_that_is_missing_or_closed_to_us_is_named(
    supabase: SupabaseServer, bucket: Bucket, tmp_path: Path, size: int
) -> None:
    file = tmp_path / ADAPTER
    file.write_bytes(b"x" * size)
    supabase.storage.buckets.clear()
    with pytest.raises(StoreUnavailable, match="Bucket not found"):
        bucket.put("user/job/a", str(file))
    stranger = Bucket(supabase.url, PUBLISHABLE_KEY, "adapters")
    with pytest.raises(StoreUnavailable, match="row-level security"):
        stranger.put("user/job/a", str(file))
    stranger.close()
