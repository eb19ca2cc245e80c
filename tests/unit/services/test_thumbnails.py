"""Small copies of sample pictures, made beside the passes."""

from __future__ import annotations

import threading

import pytest

from orchestrator.adapters.memory import MemoryArtifactStore, MemoryThumbnails, MemoryWorkspace
from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore, SqlSampleStore
from orchestrator.domain.artifact import ArtifactKind
from orchestrator.domain.errors import PortError
from orchestrator.services.thumbnails import BATCH, Thumbnails
from tests.contract.job_store import add
from tests.factories import make_artifact, picture_bytes
from tests.waiting import eventually


class Disk(MemoryThumbnails):
    """Says no the first time, and does not come to what stands behind a picture that makes the decoder crash."""

    is_full = False
    crashing = None

    def make(self, samples):
        if self.is_full:
            self.is_full = False
            raise PortError("No space left on device.")
        ids = [sample.id for sample in samples]
        if self.crashing in ids:
            samples = samples[: ids.index(self.crashing) + 1]
        return {**super().make(samples)} | ({self.crashing: False} if self.crashing in ids else {})


@pytest.fixture
def workspace():
    return MemoryWorkspace()


@pytest.fixture
def artifacts(workspace):
    return MemoryArtifactStore(workspace)


@pytest.fixture
def disk(artifacts):
    return Disk(artifacts)


@pytest.fixture
def drawn(database, workspace, artifacts):
    """More samples than are looked at in one go, in the order of looking."""
    job = add(SqlJobStore(database))
    samples = [
        make_artifact(job, kind=ArtifactKind.SAMPLE, path=f"samples/{number:03d}.png") for number in range(BATCH + 2)
    ]
    workspace.prepare(job.id, {})
    for sample in samples:
        workspace.write(job.id, sample.path, picture_bytes())
    artifacts.collect(job.id)
    SqlRecordStore(database).add_artifacts(samples)
    return SqlSampleStore(database).unseen(BATCH + 2)


@pytest.fixture
def thumbnails(database, disk):
    return Thumbnails(samples=SqlSampleStore(database), thumbnails=disk)


def test_samples_are_looked_at_in_batches_until_all_are_known(database, thumbnails, drawn, disk):
    assert thumbnails.make_some()
    assert not thumbnails.make_some()

    assert list(SqlSampleStore(database).unseen(1)) == []
    assert all(disk.locate(sample) for sample in drawn)


def test_those_behind_a_picture_that_makes_the_decoder_crash_are_looked_at_again(database, thumbnails, drawn, disk):
    disk.crashing = drawn[1].id
    thumbnails.make_some()

    assert [sample.id for sample in SqlSampleStore(database).unseen(2)] == [sample.id for sample in drawn[2:4]]
    while thumbnails.make_some():
        pass
    records = SqlRecordStore(database)
    assert [records.artifact(sample.id).is_showable for sample in drawn[:3]] == [True, False, True]


def test_a_full_disk_puts_it_off_and_ends_nothing(monkeypatch, database, thumbnails, drawn, disk):
    monkeypatch.setattr("orchestrator.services.thumbnails.ROUND_SECONDS", 0.01)
    monkeypatch.setattr("orchestrator.services.thumbnails.BACK_OFF_SECONDS", 0.01)
    disk.is_full = True
    stop = threading.Event()
    keeper = threading.Thread(target=thumbnails.run_until, args=(stop, lambda: True))
    keeper.start()
    try:
        eventually(lambda: not SqlSampleStore(database).unseen(1), what="every sample looked at")
    finally:
        stop.set()
        keeper.join()
