"""What a user's jobs share with each other, and with nobody else."""

from __future__ import annotations

from orchestrator.domain.container import CACHE_PATH
from tests.unit.services.world import ALICE, BOB


def cache_of(world, job_id):
    """(mount, path in the config), each None where there is none."""
    details = world.engine.details(world.container(job_id).id)
    mount = next((mount for mount in details.mounts if mount.target == CACHE_PATH), None)
    return mount, world.workspace.configs[job_id].get("cache_path")


def launched(world, *owners):
    world.restarted()
    job_ids = [world.submit(owner) for owner in owners]
    world.run_once()
    return [cache_of(world, job_id) for job_id in job_ids]


def test_unless_it_is_asked_for_jobs_share_nothing(world):
    assert launched(world, ALICE) == [(None, None)]


def test_a_users_jobs_have_one_folder_and_another_user_has_another(world):
    world.shared_cache_bytes = 1024**2

    (first, path), (second, _), (other, _) = launched(world, ALICE, ALICE, BOB)

    assert path == CACHE_PATH
    assert first == second
    assert not first.is_read_only
    assert other.source != first.source


def test_a_cache_over_its_size_is_emptied_before_the_next_job(world):
    world.shared_cache_bytes = 1000
    launched(world, ALICE)
    world.workspace.caches[ALICE.user_id]["entry"] = bytes(1001)

    launched(world, ALICE)

    assert world.workspace.caches[ALICE.user_id] == {}
