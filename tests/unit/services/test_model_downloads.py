"""Models are fetched once for all who wait, go on after a break, and every download comes to an end."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import InlineSteps, MemoryModelHub
from orchestrator.adapters.sql import SqlDownloadStore
from orchestrator.domain.download import DownloadStatus
from orchestrator.domain.errors import Deposed, HubRefused, HubUnavailable
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.model import INDEX
from orchestrator.services.model_downloads import ModelDownloads
from tests.contract.model_files import CONTENT, snapshot_of
from tests.unit.services.world import ALICE, BOB, HUB_MODEL, MIN_FREE_BYTES, World


@pytest.fixture
def hub():
    hub = MemoryModelHub()
    hub.snapshots[HUB_MODEL.id] = snapshot_of(CONTENT)
    return hub


class NotingStore(SqlDownloadStore):
    """Remembers what was saved."""

    def __init__(self, database):
        super().__init__(database)
        self.saved = []

    def save(self, download):
        self.saved.append(download)
        super().save(download)


class SlowHub(MemoryModelHub):
    """Takes two seconds before its first byte."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def look_up(self, entry, *, revision):
        self._clock.advance(2)
        return super().look_up(entry, revision=revision)


@pytest.fixture
def downloads(world: World, hub):
    return _downloads(world, hub, world.downloads)


def _downloads(world: World, hub: MemoryModelHub, store: SqlDownloadStore) -> ModelDownloads:
    return ModelDownloads(
        store=store,
        jobs=world.store,
        models=world.models,
        files=world.model_files,
        hub=hub,
        disk=world.disk,
        steps=InlineSteps(),
        wake_up=world.wake_up,
        clock=world.clock,
        min_free_bytes=MIN_FREE_BYTES,
    )


def _download(world: World):
    return world.downloads.get(HUB_MODEL.id)


def _submit(world: World, user=ALICE) -> str:
    return world.submit(user, base_model=HUB_MODEL.id)


def _reason(world: World, job_id: str) -> str:
    return world.queue.places([world.job(job_id)])[job_id].reason


def test_a_job_waits_for_its_model_and_starts_when_it_is_there(world, downloads):
    world.run_once()
    job_id = _submit(world)
    world.run_once()
    assert world.job(job_id).status is JobStatus.QUEUED
    assert _reason(world, job_id) == f"waits for the model {HUB_MODEL.id}: 0 %"

    downloads.advance()
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING
    assert _download(world).status is DownloadStatus.DONE


def test_a_job_that_waits_for_its_model_holds_up_nobody(world):
    waiting, other = _submit(world), world.submit()
    world.run_once()

    assert world.job(waiting).status is JobStatus.QUEUED
    assert world.job(other).status is JobStatus.RUNNING


def test_two_who_wait_share_one_download(world, downloads, hub):
    jobs = [_submit(world, ALICE), _submit(world, BOB)]
    for _ in range(3):
        downloads.advance()
    world.run_once()

    assert hub.asked == len(CONTENT)
    assert {world.job(job_id).status for job_id in jobs} == {JobStatus.RUNNING}


def test_the_commit_that_was_fetched_is_recorded(world, downloads):
    _submit(world)
    downloads.advance()

    assert _download(world).revision == world.model_files.fetched(HUB_MODEL).revision == "a" * 40


def test_trouble_that_may_pass_is_tried_again_and_those_who_wait_are_told(world, downloads, hub):
    hub.trouble = HubUnavailable("The line broke.")
    job_id = _submit(world)
    world.run_once()
    downloads.advance()
    assert _reason(world, job_id).endswith("after: The line broke.")
    asked = hub.asked
    downloads.advance()
    assert hub.asked == asked  # not before its time

    hub.trouble = None
    world.run_once(after_seconds=5)
    downloads.advance()

    assert _download(world).status is DownloadStatus.DONE


def test_what_cannot_be_had_ends_the_jobs_that_wait_with_the_reason(world, downloads, hub):
    hub.trouble = HubRefused("It is gated.")
    jobs = [_submit(world, ALICE), _submit(world, BOB)]
    downloads.advance()
    world.run_once()  # which starts nobody in between
    downloads.advance()

    for job_id in jobs:
        job = world.job(job_id)
        assert (job.status, job.end_reason) == (JobStatus.FAILED, EndReason.BASE_MODEL_UNAVAILABLE)
        assert job.error_message == f"Base model {HUB_MODEL.id} could not be fetched. It is gated."


def test_a_job_that_is_retried_has_its_model_fetched_anew(world, downloads, hub):
    hub.trouble = HubRefused("The disk was full.")
    job_id = _submit(world)
    for _ in range(2):
        downloads.advance()
    hub.trouble = None

    world.jobs.retry(ALICE, job_id, resume_from=None)
    downloads.advance()
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING


def test_a_disk_without_room_is_found_before_the_first_byte(world, downloads, hub):
    world.disk.free = MIN_FREE_BYTES
    _submit(world)
    downloads.advance()

    assert hub.asked == 0
    assert "Free some space" in _download(world).message
    assert _download(world).status is DownloadStatus.ERROR


def test_a_fault_of_ours_does_not_leave_a_download_hanging(world, downloads, hub):
    hub.trouble = RuntimeError("nobody thought of this")
    _submit(world)
    downloads.advance()

    assert _download(world).failures == 1
    assert "nobody thought" not in _download(world).message


def test_a_process_that_stops_leaves_the_download_to_the_next_one(world, downloads):
    _submit(world)
    downloads.advance(is_over=lambda: True)
    assert _download(world).status is DownloadStatus.DOWNLOADING
    assert _download(world).failures == 0

    downloads.advance()

    assert _download(world).status is DownloadStatus.DONE


def test_a_process_that_leads_no_more_is_told_so(downloads, hub, world):
    hub.trouble = Deposed("Another leads.")
    _submit(world)
    with pytest.raises(Deposed):
        downloads.advance()

    assert _download(world).status is DownloadStatus.DOWNLOADING


def test_a_crash_after_the_last_step_is_made_up_for(world, downloads):
    _submit(world)
    world.models.set_ready(HUB_MODEL.folder, is_ready=True)
    downloads.advance()

    assert _download(world).status is DownloadStatus.DONE


def test_a_model_whose_folder_is_gone_is_fetched_anew_for_who_waits(world, downloads):
    job_id = _submit(world)
    downloads.advance()
    world.models.set_ready(HUB_MODEL.folder, is_ready=False)
    downloads.advance()
    world.run_once()
    assert world.job(job_id).status is JobStatus.QUEUED

    downloads.advance()
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING


def test_nothing_is_fetched_that_nobody_asked_for(downloads, hub, world):
    downloads.advance()

    assert hub.asked == 0
    assert not world.downloads.list()


def test_a_model_in_use_is_not_replaced_under_the_jobs_that_train_on_it(world, downloads, hub):
    world.models.set_ready(HUB_MODEL.folder, is_ready=True)
    job_id = _submit(world)
    world.run_once()
    world.models.set_ready(HUB_MODEL.folder, is_ready=False)  # the catalogue's pin was changed
    world.downloads.request(HUB_MODEL.id, at=world.clock.now())
    downloads.advance()
    assert hub.asked == 0

    world.complete(job_id)
    world.run_once()
    downloads.advance()

    assert hub.asked == len(CONTENT)


def test_how_far_it_is_is_stored_at_most_once_a_second(world, database):
    store, hub = NotingStore(database), SlowHub(world.clock)
    hub.snapshots[HUB_MODEL.id] = snapshot_of(CONTENT)
    _submit(world)
    _downloads(world, hub, store).advance()

    first_half = len(CONTENT[INDEX]) // 2
    assert [(each.bytes_downloaded, each.status) for each in store.saved] == [
        (0, DownloadStatus.DOWNLOADING),
        (first_half, DownloadStatus.DOWNLOADING),
        (9, DownloadStatus.DONE),
    ]


def test_a_cancelled_job_does_not_end_the_download_of_others(world, downloads):
    gone, stays = _submit(world, ALICE), _submit(world, BOB)
    world.cancel(gone)
    downloads.advance()
    world.run_once()

    assert world.job(gone).status is JobStatus.CANCELLED
    assert world.job(stays).status is JobStatus.RUNNING


def test_an_unpinned_model_goes_on_with_the_commit_it_began_with(world, downloads, hub):
    hub.trouble = HubUnavailable("The line broke.")
    _submit(world)
    downloads.advance()
    hub.trouble = None
    hub.branch = "b" * 40  # somebody pushed to it meanwhile
    world.clock.advance(5)
    downloads.advance()

    assert (_download(world).status, _download(world).revision) == (DownloadStatus.DONE, "a" * 40)
