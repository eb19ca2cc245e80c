"""Stories of waiting: a user's own limit holds a job back, another user's does not."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.docker


def cancel(user, job_id):
    answer = user.http.post(f"/training/jobs/{job_id}/cancel")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture
def two_running(user):
    """A user whose limit is reached."""
    dataset_id = user.upload()
    jobs = [user.start("fake:hang=1", dataset_id=dataset_id) for _ in range(2)]
    yield jobs
    for job_id in jobs:
        cancel(user, job_id)
        user.wait(job_id, "cancelled")


def test_another_users_job_is_not_held_up(user, stranger, two_running):
    waiting = user.start()
    answer = stranger.submit().json()
    assert answer["status"] == "running"
    assert stranger.wait(answer["job_id"], "completed")
    assert user.job(waiting)["status"] == "queued"
    cancel(user, waiting)


def test_a_queued_job_is_cancelled_at_once_and_nothing_was_made_for_it(lorry_server, user, two_running):
    job_id = user.start()
    cancelled = cancel(user, job_id)
    assert cancelled["status"] == "cancelled"
    assert (cancelled["end_reason"], cancelled["container_id"]) == ("cancel_requested", None)
    assert lorry_server.files_of(job_id) == []


def test_when_every_slot_is_taken_a_job_waits_for_a_slot(install):
    installation = install(LORRY_CPU_SLOTS="1")
    installation.serve()
    installation.wait_until_ready()
    alice, bob = installation.user("alice"), installation.user("bob")
    first = alice.start("fake:hang=1")
    second = bob.start()
    assert bob.job(second)["queue"]["reason"] == "no GPU or CPU slot is free"
    cancel(alice, first)
    bob.wait(second, "completed")
    installation.wait_for_no_container()
