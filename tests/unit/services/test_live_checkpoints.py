"""Checkpoints of a job that still trains are collected and told of, each once, and no more than it keeps."""

from __future__ import annotations

import pytest

from orchestrator.domain.artifact import MAX_LIVE_CHECKPOINT_BYTES
from orchestrator.domain.errors import StaleJob
from orchestrator.domain.training import TrainingConfig
from orchestrator.services.live_checkpoints import COLLECTED, PAUSE_SECONDS
from tests.unit.services.world import ALICE


@pytest.fixture
def running(world):
    """The id of a job whose container runs."""
    job_id = world.submit(config=TrainingConfig(keep_checkpoints=2))
    world.run_once()
    return job_id


def save(world, job_id, step, data=b"weights"):
    """What the trainer does: the files, then the event."""
    for name, content in (("manifest.json", b"{}"), ("state.safetensors", data)):
        world.workspace.outputs[job_id][f"checkpoints/step-{step:06d}/{name}"] = content
    world.write_event(job_id, "checkpoint", step=step, path=f"checkpoints/step-{step:06d}")


def look(world, times=3):
    for _ in range(times):
        world.run_once(after_seconds=PAUSE_SECONDS)


def steps(world, job_id):
    """Those whose weights can be downloaded."""
    files = [file for file in world.records.artifacts(job_id) if file.kind == "checkpoint"]
    weights = [file.path for file in files if file.path.endswith("state.safetensors")]
    assert len(files) == 2 * len(weights)
    return sorted(int(path.split("/")[1].removeprefix("step-")) for path in weights)


def told(world, job_id):
    return [event.data["step"] for event in world.records.events_of_type(job_id, COLLECTED)]


def test_a_running_jobs_checkpoint_can_be_downloaded_and_is_told_of_once(world, running):
    save(world, running, 100)
    look(world)

    assert world.is_running(running)
    assert (steps(world, running), told(world, running)) == ([100], [100])
    assert world.artifacts.open(running, "checkpoints/step-000100/state.safetensors").read() == b"weights"


def test_of_its_checkpoints_as_many_stay_as_the_job_keeps(world, running):
    for step in (100, 200, 300):
        save(world, running, step)
        look(world)

    assert (steps(world, running), told(world, running)) == ([200, 300], [100, 200, 300])


def test_a_stop_keeps_every_checkpoint_so_far_each_once(world, running):
    save(world, running, 100)
    look(world)
    before = world.records.artifacts(running)
    world.jobs.cancel(ALICE, running, reason=None)
    world.run_once()
    save(world, running, 137)
    world.exit(running, 15)
    world.run_once()

    assert world.job(running).status == "cancelled"
    assert steps(world, running) == [100, 137]
    assert {file.id for file in before} <= {file.id for file in world.records.artifacts(running)}


def test_another_process_takes_a_checkpoint_again_and_lists_and_tells_nothing_twice(world, running):
    save(world, running, 100)
    look(world)
    before = world.records.artifacts(running)
    world.restarted()
    look(world)

    assert (world.records.artifacts(running), told(world, running)) == (before, [100])


def test_a_job_that_changes_while_its_checkpoint_is_taken_is_told_of_it_later(world, running, monkeypatch):
    save(world, running, 100)
    advance = world.store.advance

    def lose(*arguments, events=(), **named):
        if any(event.type == COLLECTED for event in events):
            monkeypatch.setattr(world.store, "advance", advance)
            raise StaleJob("changed")
        advance(*arguments, events=events, **named)

    monkeypatch.setattr(world.store, "advance", lose)
    look(world)

    assert (steps(world, running), told(world, running)) == ([100], [100])


def test_a_checkpoint_that_is_written_over_has_other_ids(world, running):
    save(world, running, 100)
    look(world)
    before = {file.path: file.id for file in world.records.artifacts(running)}
    world.workspace.outputs[running]["checkpoints/step-000100/state.safetensors"] = b"rolled back"
    world.complete(running)
    world.run_once()

    after = {file.path: file.id for file in world.records.artifacts(running)}
    assert after["checkpoints/step-000100/state.safetensors"] != before["checkpoints/step-000100/state.safetensors"]
    assert after["checkpoints/step-000100/manifest.json"] == before["checkpoints/step-000100/manifest.json"]


@pytest.mark.parametrize("step", [999_999, 2**52], ids=["not there", "no step at all"])
def test_a_checkpoint_that_is_not_there_is_not_told_of(world, running, step):
    world.write_event(running, "checkpoint", step=step, path="checkpoints/elsewhere")
    look(world)

    assert (steps(world, running), told(world, running)) == ([], [])


def test_one_that_is_too_large_waits_for_the_end(world, running, monkeypatch):
    monkeypatch.setattr("orchestrator.services.collect.MAX_LIVE_CHECKPOINT_BYTES", 3)
    assert MAX_LIVE_CHECKPOINT_BYTES > 3
    save(world, running, 100)
    look(world)
    assert steps(world, running) == []

    world.complete(running)
    world.run_once()
    assert steps(world, running) == [100]
