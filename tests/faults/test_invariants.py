"""The checker itself: each invariant is found broken in a world where it is."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.container import LABEL_ATTEMPT, LABEL_JOB
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason, JobStatus
from tests.factories import NOW, make_attempt, make_job, sha256_of
from tests.faults.invariants import Story, World, never_allowed, unproven, unsettled

ADAPTER = b"an adapter"


def container(job, attempt=1, state="running"):
    return {"State": state, "Labels": {LABEL_JOB: job.id, LABEL_ATTEMPT: str(attempt)}}


def story(job, **changes):
    """Of a job whose history and attempts are in order."""
    queued = dataclasses.replace(job, status=JobStatus.QUEUED)
    pending = dataclasses.replace(job, status=JobStatus.PENDING)
    events = [status_event(None, queued, ""), status_event(queued, pending, ""), status_event(pending, job, "")]
    return dataclasses.replace(Story(job, [make_attempt(job)], events, []), **changes)


def world(*stories, containers=(), leases=None):
    return World({each.job.id: each for each in stories}, leases or {}, containers)


@pytest.fixture
def running():
    return make_job(status=JobStatus.RUNNING, attempt=1, slot=1)


@pytest.fixture
def completed():
    return make_job(status=JobStatus.COMPLETED, attempt=1, end_reason=EndReason.ADAPTER_VERIFIED)


@pytest.fixture
def installation(tmp_path, completed):
    """Its data folder holds the adapter of the completed job."""
    folder = tmp_path / "artifacts" / completed.id
    folder.mkdir(parents=True)
    (folder / "adapter.safetensors").write_bytes(ADAPTER)
    return SimpleNamespace(data_dir=tmp_path)


def adapter_of(job, content):
    return Artifact(
        id="1",
        job_id=job.id,
        attempt=1,
        kind=ArtifactKind.ADAPTER,
        name="adapter.safetensors",
        path="adapter.safetensors",
        size_bytes=len(content),
        sha256=sha256_of(content),
        created_at=NOW,
    )


def test_a_world_in_order_breaks_nothing(running, completed, installation):
    proven = story(completed, artifacts=[adapter_of(completed, ADAPTER)])
    here = world(story(running), proven, containers=[container(running)], leases={"cpu-0": running.id})
    assert [*never_allowed(here), *unsettled(here), *unproven(here, installation)] == []


def test_two_live_containers_of_an_attempt_are_found(running):
    assert [*never_allowed(world(story(running), containers=[container(running)] * 2))]


def test_a_third_slot_of_a_user_is_found():
    jobs = [make_job(status=JobStatus.RUNNING, attempt=1, user_id="alice") for _ in range(3)]
    assert [*never_allowed(world(*map(story, jobs)))]


def test_a_history_that_is_no_path_is_found(running):
    jump = status_event(dataclasses.replace(running, status=JobStatus.COMPLETED), running, "")
    assert [*never_allowed(world(story(running, events=[jump])))]


def test_a_history_that_leaves_out_a_step_is_found(running):
    events = story(running).events
    assert [*never_allowed(world(story(running, events=[events[0], events[2]])))]


def test_a_gap_between_attempts_is_found(running):
    attempts = [make_attempt(running, number=number) for number in (1, 3)]
    assert [*never_allowed(world(story(running, attempts=attempts)))]


def test_a_container_of_no_open_attempt_is_found(running, completed):
    assert [*unsettled(world(story(completed), containers=[container(completed, state="exited")]))]
    assert [*unsettled(world(story(running), containers=[container(running), container(running, attempt=2)]))]


def test_a_job_that_is_not_where_its_history_ends_is_found(running):
    assert [*unsettled(world(story(running, events=story(running).events[:-1]), containers=[container(running)]))]


def test_a_running_job_without_a_container_is_found(running):
    assert [*unsettled(world(story(running)))]


def test_a_lease_that_outlived_its_job_is_found(completed):
    assert [*unsettled(world(story(completed), leases={"cpu-0": completed.id}))]


def test_a_completed_job_without_its_adapter_is_found(completed, installation):
    assert [*unproven(world(story(completed)), installation)]
    assert [*unproven(world(story(completed, artifacts=[adapter_of(completed, b"another")])), installation)]
