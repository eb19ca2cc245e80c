"""Pictures of a job that still trains are collected as its trainer tells of them: each once, whatever happens then."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import MemoryThumbnails
from orchestrator.domain.artifact import MAX_LIVE_PICTURE_BYTES
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.events import MAX_HISTORY_ROWS
from orchestrator.services.artifacts import Artifacts
from orchestrator.services.ingest import PICTURES_BITE
from tests.factories import sha256_of
from tests.unit.services.world import ALICE

PATH = "samples/step-000100-0.png"


@pytest.fixture
def running(world):
    """The id of a job whose container runs."""
    job_id = world.submit()
    world.run_once()
    return job_id


def draw(world, job_id, path=PATH, data=b"picture", **fields):
    world.workspace.outputs[job_id][path] = data
    world.write_event(job_id, "sample", **{"path": path, "step": 100, "prompt": "a cat", "seed": 7} | fields)


def pictures(world, job_id):
    """What the job's owner is shown: path, step, attempt."""
    artifacts = Artifacts(
        jobs=world.store,
        records=world.records,
        artifacts=world.artifacts,
        thumbnails=MemoryThumbnails(world.artifacts),
        models=world.models,
    )
    found = artifacts.samples(ALICE, job_id)
    return [(sample.artifact.path, sample.step, sample.artifact.attempt) for sample in found]


def told(world, job_id):
    """The ids of artifacts that the history tells of, None for a picture that could not be had."""
    return [event.data.get("artifact_id") for event in world.records.events_of_type(job_id, "sample")]


def stored(world, job_id):
    return [file for file in world.records.artifacts(job_id) if file.kind == "sample"]


def fail_once(monkeypatch, owner, method, *, is_after=False):
    """The orchestrator dies in that call: before it does anything, or once it is done."""
    original = getattr(owner, method)

    def failing(*arguments, **named):
        monkeypatch.setattr(owner, method, original)
        if is_after:
            original(*arguments, **named)
        raise StoreUnavailable("away")

    monkeypatch.setattr(owner, method, failing)


def start_again(world, job_id):
    """The container broke, and the next attempt runs."""
    world.exit(job_id, 137)
    world.run_once()
    world.run_once(after_seconds=60)


def test_a_running_jobs_picture_is_listed_and_told_of_with_its_id(world, running):
    draw(world, running)
    world.run_once()

    (sample,) = stored(world, running)
    assert world.is_running(running)
    assert pictures(world, running) == [(PATH, 100, 1)]
    assert told(world, running) == [sample.id]
    assert sample.sha256 == sha256_of(b"picture")
    assert world.artifacts.open(running, PATH).read() == b"picture"


def test_a_picture_is_listed_only_once_the_history_tells_of_its_step(world, running, monkeypatch):
    draw(world, running)
    fail_once(monkeypatch, world.store, "advance")
    with pytest.raises(StoreUnavailable):
        world.run_once()
    assert len(stored(world, running)) == 1
    assert pictures(world, running) == []

    world.run_once()
    assert pictures(world, running) == [(PATH, 100, 1)]


def test_nothing_but_pictures_is_collected_of_a_running_job(world, running):
    paths = ("adapter.safetensors", "samples/notes.txt", "checkpoints/step-1/a.png", "a.png", 7, None)
    for path in paths:
        world.workspace.outputs[running][path] = b"x"
        world.write_event(running, "sample", path=path)
    world.write_event(running, "checkpoint", path=PATH)
    world.run_once()

    assert list(world.records.artifacts(running)) == []
    assert told(world, running) == [None] * len(paths)


def test_a_hostile_picture_is_told_of_without_an_id_whatever_the_trainer_says(world, running):
    draw(world, running, "samples/link.png", None)
    draw(world, running, "samples/large.png", b"x" * (MAX_LIVE_PICTURE_BYTES + 1))
    draw(world, running, "samples/../secret.png", None, artifact_id="made up")
    world.write_event(running, "sample", path="samples/missing.png", artifact_id="made up")
    world.run_once()
    draw(world, running)
    world.run_once()

    (sample,) = stored(world, running)
    assert told(world, running) == [None, None, None, None, sample.id]


def test_a_picture_that_is_too_large_comes_at_the_end(world, running):
    draw(world, running, data=b"x" * (MAX_LIVE_PICTURE_BYTES + 1))
    world.run_once()
    assert pictures(world, running) == []

    world.complete(running)
    world.run_once()
    assert pictures(world, running) == [(PATH, 100, 1)]


def test_the_end_lists_no_picture_twice_and_loses_none(world, running):
    draw(world, running)
    draw(world, running, "samples/taken-away.png")
    world.run_once()
    before = stored(world, running)
    del world.workspace.outputs[running]["samples/taken-away.png"]
    world.workspace.write(running, "samples/untold.png", b"another")
    world.complete(running)
    world.run_once()

    assert world.job(running).status == "completed"
    assert [file for file in stored(world, running) if file.path != "samples/untold.png"] == before
    assert len(stored(world, running)) == 3


def test_a_picture_that_is_drawn_anew_has_a_new_id(world, running):
    draw(world, running, data=b"half")
    world.run_once()
    (first,) = stored(world, running)
    world.workspace.outputs[running][PATH] = b"half and half"
    world.complete(running)
    world.run_once()

    (second,) = stored(world, running)
    assert second.id != first.id
    assert (second.size_bytes, second.sha256) == (13, sha256_of(b"half and half"))
    assert pictures(world, running) == [(PATH, 100, 1)]


def test_an_adapter_that_was_told_of_as_a_picture_is_an_adapter(world, running):
    draw(world, running)
    world.run_once()
    claim = {"path": PATH, "format": "kohya", "sha256": sha256_of(b"picture")}
    world.write_event(running, "result", adapters=[claim], steps=10)
    world.exit(running, 0)
    world.run_once()

    assert world.job(running).status == "completed"
    assert [file.kind for file in world.records.artifacts(running) if file.path == PATH] == ["adapter"]


def test_a_later_attempt_lists_no_picture_of_the_first_again(world, running):
    draw(world, running)
    world.run_once()
    start_again(world, running)
    assert world.job(running).attempt == 2
    draw(world, running)
    draw(world, running, "samples/step-000200-0.png", step=200)
    world.complete(running)
    world.run_once()

    assert world.job(running).status == "completed"
    assert pictures(world, running) == [(PATH, 100, 1), ("samples/step-000200-0.png", 200, 2)]


def test_what_a_later_attempt_draws_over_is_gone(world, running):
    draw(world, running)
    world.run_once()
    start_again(world, running)
    draw(world, running, data=b"better")
    world.run_once()

    assert pictures(world, running) == [(PATH, 100, 2)]
    assert told(world, running)[-1] == stored(world, running)[0].id


@pytest.mark.parametrize(
    ("step", "is_after"),
    [
        ("artifacts.take", True),
        ("records.add_artifacts", False),
        ("records.add_artifacts", True),
        ("store.advance", False),
    ],
)
def test_a_crash_between_any_two_steps_neither_loses_nor_doubles_a_picture(world, running, monkeypatch, step, is_after):
    draw(world, running)
    owner, method = step.split(".")
    fail_once(monkeypatch, getattr(world, owner), method, is_after=is_after)
    with pytest.raises(StoreUnavailable):
        world.run_once()
    world.restarted()
    world.run_once()

    (sample,) = stored(world, running)
    assert told(world, running) == [sample.id]
    world.complete(running)
    world.run_once()
    assert stored(world, running) == [sample]


def test_a_pass_copies_a_few_pictures_of_a_job_and_the_next_ones_the_others(world, running):
    for number in range(2 * PICTURES_BITE + 1):
        draw(world, running, f"samples/{number:03d}.png", step=number)
    world.write_event(running, "phase", phase="evaluate")

    counts = []
    for _ in range(3):
        world.run_once()
        counts.append(len(stored(world, running)))
    assert counts == [PICTURES_BITE, 2 * PICTURES_BITE, 2 * PICTURES_BITE + 1]
    assert [event.type for event in world.records.events(running)][-1] == "phase"
    assert None not in told(world, running)


def test_a_job_that_draws_for_ever_is_listed_up_to_a_limit(world, running, monkeypatch):
    monkeypatch.setattr("orchestrator.domain.artifact.MAX_LIVE_PICTURES", 2)
    for number in range(4):
        draw(world, running, f"samples/{number}.png")
        world.run_once()

    assert len(stored(world, running)) == 2
    assert [artifact_id is None for artifact_id in told(world, running)] == [False, False, True, True]


def test_pictures_that_no_history_has_room_for_hold_up_nothing(world, running):
    line = b'{"v": 1, "type": "note"}\n'
    world.workspace.write(running, "events.jsonl", line * MAX_HISTORY_ROWS)
    world.run_once()
    for number in range(3 * PICTURES_BITE):
        draw(world, running, f"samples/{number:03d}.png")
    world.write_event(running, "progress", step=77, total_steps=100, progress=77.0)
    world.run_once()

    assert world.job(running).progress.current_step == 77
    assert stored(world, running) == []
