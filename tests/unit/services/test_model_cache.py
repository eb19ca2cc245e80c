"""What an operator does with fetched models."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import Conflict, Rejected
from orchestrator.services.model_cache import ModelCache
from tests.contract.model_files import CONTENT, snapshot_of
from tests.factories import NOW
from tests.unit.services.world import HUB_MODEL, READY_MODEL


@pytest.fixture
def cache(world):
    return ModelCache(store=world.models, files=world.model_files, downloads=world.downloads, jobs=world.store)


@pytest.fixture
def fetched(world):
    world.model_files.install(HUB_MODEL, snapshot_of(CONTENT), at=NOW)


def test_every_fetched_model_is_verified(cache, world, fetched):
    assert [(each.entry.id, list(each.problems)) for each in cache.verify()] == [(HUB_MODEL.id, [])]
    world.model_files.damaged.add("unet/model.safetensors")

    assert cache.verify([HUB_MODEL.id])[0].problems == ["unet/model.safetensors was changed."]


def test_nothing_that_was_fetched_is_nothing_to_verify(cache):
    assert not cache.verify()


@pytest.mark.parametrize("model_id", ["org/unknown", READY_MODEL.id])
def test_only_what_is_fetched_is_verified_or_removed(cache, model_id):
    for ask in (cache.verify, cache.prune):
        with pytest.raises(Rejected, match="none that is fetched"):
            ask([model_id])


def test_what_a_download_left_is_removed_unless_it_is_under_way(cache, world):
    world.model_files.staging(HUB_MODEL, revision="a" * 40)
    world.downloads.request(HUB_MODEL.id, at=NOW)
    assert not cache.prune()

    world.downloads.forget(HUB_MODEL.id)

    assert [spare.name for spare in cache.prune(is_dry_run=True)] == [f".download-{HUB_MODEL.folder}@{'a' * 40}"]
    assert len(cache.prune()) == 1
    assert not cache.prune()


def test_a_named_model_is_removed_and_can_be_fetched_again(cache, world, fetched):
    world.downloads.request(HUB_MODEL.id, at=NOW)
    assert [spare.size_bytes for spare in cache.prune([HUB_MODEL.id])] == [9]

    assert not world.models.is_ready(HUB_MODEL)
    assert world.downloads.get(HUB_MODEL.id) is None


def test_a_dry_run_removes_nothing(cache, world, fetched):
    assert len(cache.prune([HUB_MODEL.id], is_dry_run=True)) == 1
    assert world.models.is_ready(HUB_MODEL)


@pytest.mark.parametrize("is_running", [True, False])
def test_a_model_that_jobs_use_or_wait_for_stays(cache, world, fetched, is_running):
    world.submit(base_model=HUB_MODEL.id)
    if is_running:
        world.run_once()
    with pytest.raises(Conflict, match=f"Jobs train on {HUB_MODEL.id}") as conflict:
        cache.prune([HUB_MODEL.id])

    assert conflict.value.code == "MODEL_IN_USE"
    assert world.models.is_ready(HUB_MODEL)
