"""Datasets as their users have them, and what becomes of them in jobs."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from orchestrator.adapters.memory import MemoryDatasetFiles, MemoryDatasetStore, MemoryVersionStore
from orchestrator.adapters.memory.container_runtime import run_until_told
from orchestrator.domain.container import DATASET_PATH, LABEL_JOB
from orchestrator.domain.dataset import Approval
from orchestrator.domain.errors import Conflict, NotFound, Refused, Rejected, StoreUnavailable
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.dataset_store import UploadedFile
from orchestrator.services.datasets import Datasets
from tests.factories import picture_bytes, upload
from tests.unit.services.world import ADMIN, ALICE, BOB, MIN_FREE_BYTES, World

CATS = {"a.png": picture_bytes(), "a.txt": b"a cat", "b.png": picture_bytes(20, 10)}

MORE = {"c.png": picture_bytes(30, 10), "c.txt": b"another cat"}


class _FullDatasetStore(MemoryDatasetStore):
    def add(self, dataset, items):
        raise StoreUnavailable("The store in memory is full.")


class _OvertakenDatasetStore(MemoryDatasetStore):
    """Where another upload is always the quicker one."""

    def add_items(self, dataset_id, items, *, beside, at):
        return super().add_items(dataset_id, items, beside=beside - 1, at=at)


@pytest.fixture
def files():
    return MemoryDatasetFiles()


@pytest.fixture
def world(database):
    """One that remembers what was started."""
    world = World(database)
    world.engine_specs = []

    def remember(spec):
        world.engine_specs.append(spec)
        return run_until_told(spec)

    world.engine.program = remember
    return world


@pytest.fixture
def datasets(world):
    return Datasets(
        store=world.datasets,
        versions=world.versions,
        files=world.files,
        jobs=world.store,
        clock=world.clock,
        disk=world.disk,
        min_free_bytes=MIN_FREE_BYTES,
    )


@pytest.fixture
def cats(datasets):
    return datasets.upload(ALICE, "cats", upload(CATS))


def items_of(datasets, dataset):
    return list(datasets.items(ALICE, dataset.id, page=1, page_size=10).items)


def mounted(world, job_id):
    """Files of the version that a job's container has mounted, by name."""
    path = next(
        mount.source for mount in _spec(world, job_id).mounts if mount.target == DATASET_PATH and mount.is_read_only
    )
    dataset_id, _, version = path.removeprefix("/memory/datasets/").partition("/")
    stored = world.files.files[dataset_id]
    return {name.removeprefix(f"{version}/"): data for name, data in stored.items() if name.startswith(version)}


def _spec(world, job_id):
    return next(spec for spec in world.engine_specs if spec.labels[LABEL_JOB] == job_id)


def over(store: MemoryDatasetStore, world: World, files: MemoryDatasetFiles) -> Datasets:
    """The service over a store that misbehaves."""
    return Datasets(
        store=store,
        versions=MemoryVersionStore(),
        files=files,
        jobs=world.store,
        clock=world.clock,
        disk=world.disk,
        min_free_bytes=0,
    )


def test_an_upload_becomes_a_dataset_of_the_caller(datasets, cats):
    assert (cats.user_id, cats.item_count, cats.captioned_count) == ("alice", 2, 1)
    assert datasets.get(ALICE, cats.id) == cats
    assert [item.caption for item in items_of(datasets, cats)] == ["a cat", None]
    assert datasets.list(BOB, page=1, page_size=10).total == 0


def test_a_dataset_that_cannot_be_recorded_leaves_no_files(world, files):
    datasets = over(_FullDatasetStore(), world, files)

    with pytest.raises(StoreUnavailable):
        datasets.upload(ALICE, "cats", upload(CATS))
    assert files.files == {}


def test_a_rejected_upload_leaves_nothing(datasets, world):
    with pytest.raises(Rejected):
        datasets.upload(ALICE, "cats", [UploadedFile("a.png", io.BytesIO(b"no picture"))])
    assert (world.files.files, datasets.list(ALICE, page=1, page_size=10).total) == ({}, 0)


def test_another_users_dataset_is_closed_to_every_verb(datasets, cats):
    item = items_of(datasets, cats)[0]

    for act in (
        datasets.get,
        lambda who, dataset_id: datasets.items(who, dataset_id, page=1, page_size=1),
        lambda who, dataset_id: datasets.preview(who, dataset_id, item.id),
        lambda who, dataset_id: datasets.report(who, dataset_id, resolution=512),
        lambda who, dataset_id: datasets.change_item(who, dataset_id, item.id, {}),
        datasets.require_owner,
        lambda who, dataset_id: datasets.add_items(who, dataset_id, upload(MORE)),
        datasets.delete,
    ):
        with pytest.raises(Refused) as refused:
            act(BOB, cats.id)
        assert refused.value.code == "DATASET_FORBIDDEN"
        with pytest.raises(NotFound):
            act(ALICE, "nothing")


def test_an_admin_looks_but_does_not_touch(datasets, cats):
    item = items_of(datasets, cats)[0]

    assert datasets.report(ADMIN, cats.id, resolution=512).item_count == 2
    for act in (
        lambda: datasets.change_item(ADMIN, cats.id, item.id, {}),
        lambda: datasets.add_items(ADMIN, cats.id, upload(MORE)),
        lambda: datasets.delete(ADMIN, cats.id),
    ):
        with pytest.raises(Refused):
            act()


def test_a_deleted_dataset_leaves_nothing(datasets, world, cats):
    job_id = world.submit(dataset_id=cats.id)
    world.cancel(job_id)

    assert datasets.delete(ALICE, cats.id) == cats

    assert world.files.files == {}
    with pytest.raises(NotFound):
        datasets.get(ALICE, cats.id)
    with pytest.raises(NotFound):
        world.versions.get(cats.id, world.job(job_id).dataset_sha256)


def test_a_dataset_is_kept_while_any_users_job_waits_or_runs_on_it(datasets, world, cats):
    job_id = world.submit(ADMIN, dataset_id=cats.id)

    with pytest.raises(Conflict) as queued:
        datasets.delete(ALICE, cats.id)
    assert (queued.value.code, job_id in queued.value.message) == ("DATASET_IN_USE", True)
    world.run_once()
    assert world.job(job_id).status is JobStatus.RUNNING
    with pytest.raises(Conflict):
        datasets.delete(ALICE, cats.id)

    world.complete(job_id)
    world.run_once()
    datasets.delete(ALICE, cats.id)


def test_pictures_are_added_for_later_jobs_alone(datasets, world, cats):
    first = world.submit(dataset_id=cats.id)
    world.run_once()
    before = mounted(world, first)

    dataset, (sent,) = datasets.add_items(ALICE, cats.id, upload(MORE))
    second = world.submit(dataset_id=cats.id)
    world.run_once()

    assert (dataset.item_count, dataset.captioned_count, sent.is_new) == (3, 2, True)
    assert dataset.sha256 != cats.sha256
    assert (mounted(world, first), len(before)) == (before, 3)
    assert mounted(world, second) == before | {
        sent.item.file_name: MORE["c.png"],
        f"{sent.item.file_name.removesuffix('.png')}.txt": b"another cat\n",
    }


def test_what_is_sent_again_changes_nothing(datasets, world, cats):
    added, _ = datasets.add_items(ALICE, cats.id, upload(MORE))
    before = dict(world.files.files[cats.id])

    dataset, sent = datasets.add_items(ALICE, cats.id, upload(CATS | MORE))

    assert (dataset, world.files.files[cats.id]) == (added, before)
    assert [(each.name, each.is_new) for each in sent] == [("a.png", False), ("b.png", False), ("c.png", False)]


def test_an_upload_that_was_overtaken_leaves_the_dataset_to_the_quicker_one(world, files):
    datasets = over(_OvertakenDatasetStore(), world, files)
    cats = datasets.upload(ALICE, "cats", upload(CATS))
    before = dict(files.files[cats.id])

    with pytest.raises(Conflict) as conflict:
        datasets.add_items(ALICE, cats.id, upload(MORE))

    assert conflict.value.code == "DATASET_CHANGED"
    assert files.files[cats.id] == before


def test_an_upload_that_comes_again_under_its_key_is_the_same_dataset(datasets):
    made = datasets.upload(ALICE, "cats", upload(CATS), key="once")

    assert datasets.upload(ALICE, "cats", upload(CATS), key="once") == made
    assert datasets.upload(ALICE, "cats", upload(CATS), key="twice") != made
    assert datasets.upload(BOB, "cats", upload(CATS), key="once").user_id == "bob"
    assert datasets.list(ALICE, page=1, page_size=10).total == 2


def test_only_what_passes_both_gates_reaches_the_container(datasets, world, cats):
    first, second = items_of(datasets, cats)
    datasets.change_item(ALICE, cats.id, second.id, {"prohibited_uses": ("training",)})

    job_id = world.submit(dataset_id=cats.id)
    world.run_once()

    assert set(mounted(world, job_id)) == {first.file_name, "00001.txt"}
    job = world.job(job_id)
    assert job.excluded_items == {"prohibited": 1}
    assert world.records.events(job_id)[0].message == "Submitted. Left out of training: 1 prohibited for training."


def test_the_counts_are_foretold_from_what_passes(datasets, world):
    dataset_id = world.dataset(items=12)
    for item in world.datasets.items(dataset_id)[:2]:
        datasets.change_item(ALICE, dataset_id, item.id, {"approval": Approval.PENDING})

    progress = world.job(world.submit(dataset_id=dataset_id)).progress
    plan = world.jobs.plan(ALICE, world.request(dataset_id=dataset_id))

    assert (progress.train_count, progress.val_count) == (plan.train_count, plan.val_count) == (9, 1)
    assert plan.job.excluded_items == {"not_approved": 2}


def test_a_dataset_with_nothing_left_is_refused_with_the_counts(world):
    dataset_id = world.dataset(items=3, allowed_uses=("display",))

    for ask in (world.jobs.submit, world.jobs.plan):
        with pytest.raises(Rejected) as rejected:
            ask(ALICE, world.request(dataset_id=dataset_id))
        assert (rejected.value.code, "3 not allowed for training" in rejected.value.message) == (
            "NOTHING_TO_TRAIN_ON",
            True,
        )
        assert {each.field: each.value for each in rejected.value.details}["excluded_items.not_allowed"] == 3


def test_a_waiting_job_trains_on_what_it_was_submitted_with(datasets, world, cats):
    first, second = items_of(datasets, cats)
    old = world.submit(dataset_id=cats.id)
    datasets.change_item(ALICE, cats.id, first.id, {"caption": "a dog"})
    datasets.change_item(ALICE, cats.id, second.id, {"approval": Approval.REJECTED})
    new = world.submit(dataset_id=cats.id)
    world.run_once()

    assert mounted(world, old)["00001.txt"] == b"a cat\n"
    assert "00002.png" in mounted(world, old)
    assert mounted(world, new) == {"00001.png": CATS["a.png"], "00001.txt": b"a dog\n"}
    assert world.job(old).dataset_sha256 == cats.sha256 != world.job(new).dataset_sha256


def test_jobs_on_equal_content_share_one_version(datasets, world, cats):
    item = items_of(datasets, cats)[0]
    one = world.submit(dataset_id=cats.id)
    datasets.change_item(ALICE, cats.id, item.id, {"caption": "a dog"})
    datasets.change_item(ALICE, cats.id, item.id, {"caption": "a cat"})
    other = world.submit(dataset_id=cats.id)

    assert world.job(one).dataset_sha256 == world.job(other).dataset_sha256


def test_the_lineage_names_every_item_of_a_small_version_and_counts_those_of_a_large_one(world):
    small, large = world.dataset(items=2), world.dataset(items=41)
    jobs = [world.submit(dataset_id=dataset_id) for dataset_id in (small, large)]
    world.run_once()

    few, many = (world.workspace.configs[job_id]["lineage"] for job_id in jobs)
    assert few["lorry.dataset_items"].split("\n") == [
        f"{item.id} {item.sha256}" for item in world.datasets.items(small)
    ]
    assert "lorry.dataset_items" not in many
    assert (few["lorry.dataset_item_count"], many["lorry.dataset_item_count"]) == ("2", "41")
    assert [each["lorry.dataset_sha256"] for each in (few, many)] == [world.job(each).dataset_sha256 for each in jobs]


def test_a_job_from_before_there_were_versions_trains_on_the_dataset_as_it_is(world):
    job_id = world.submit()
    job = world.store.save(replace(world.job(job_id), dataset_sha256=None))
    world.versions.remove(job.dataset_id)
    world.run_once()

    assert world.is_running(job_id)
