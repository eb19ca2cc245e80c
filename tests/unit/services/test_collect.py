"""What a container leaves is collected, and looked at before its job is called completed."""

from __future__ import annotations

from functools import partial

import pytest

from orchestrator.domain.artifact import ArtifactKind
from orchestrator.domain.errors import NotFound
from orchestrator.domain.events import JobEvent, promotion_event, status_event
from orchestrator.domain.identity import Actor
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.training import TrainingConfig, TrainingType
from orchestrator.services.collect import Collect
from tests.factories import NOW, adapter_bytes, make_attempt, make_job, sha256_of

MODEL = b"pickled"


@pytest.fixture
def collect(world):
    return Collect(records=world.records, artifacts=world.artifacts, clock=world.clock)


@pytest.fixture
def diagnostic(world):
    """A diagnostic job that left its model."""
    job = make_job(type=TrainingType.DIAGNOSTIC)
    world.store.add(job, status_event(None, job, "Submitted."))
    world.workspace.prepare(job.id, {})
    world.workspace.write(job.id, "model.pt", MODEL)
    return job


def _report(world, job, **fields):
    event = JobEvent(job_id=job.id, attempt=1, type="result", message="Result.", at=NOW, data=fields)
    world.store.save(world.store.get(job.id), events=[event])


def test_a_diagnostic_job_passes_with_the_model_it_reported(world, collect, diagnostic):
    _report(world, diagnostic, model={"path": "model.pt", "sha256": sha256_of(MODEL), "size_bytes": len(MODEL)})

    assert collect.conclude(diagnostic, make_attempt(diagnostic)).reason is EndReason.DIAGNOSTIC_PASSED
    (file,) = world.records.artifacts(diagnostic.id)
    assert (file.kind, file.path, file.sha256) == (ArtifactKind.MODEL, "model.pt", sha256_of(MODEL))


@pytest.mark.parametrize(
    ("result", "found"),
    [
        ({}, "names no model file"),
        ({"model": "model.pt"}, "names no model file"),
        ({"model": {"path": "model.pt", "sha256": 1}}, "names no model file"),
        ({"model": {"path": "model.pt", "sha256": "0" * 64}}, "sha256 differs"),
        ({"model": {"path": "other.pt", "sha256": "0" * 64}}, "did not leave"),
        ({"model": {"path": "../model.pt", "sha256": "0" * 64}}, "did not leave"),
    ],
)
def test_a_diagnostic_job_without_the_model_it_reported_fails(world, collect, diagnostic, result, found):
    _report(world, diagnostic, **result)

    verdict = collect.conclude(diagnostic, make_attempt(diagnostic))

    assert verdict.reason is EndReason.DIAGNOSTIC_INVALID
    assert found in (verdict.message or "")


def test_no_other_job_has_its_pickles_collected(world, collect):
    job_id = world.submit()
    world.run_once()
    world.workspace.write(job_id, "model.pt", MODEL)
    world.workspace.write(job_id, "README.md", b"# Card")
    world.complete(job_id)
    world.run_once()

    assert {file.path for file in world.records.artifacts(job_id)} == {
        "README.md",
        "adapter.safetensors",
        "events.jsonl",
    }


def test_files_are_told_apart_by_where_they_lie(world):
    job_id = world.submit()
    world.run_once()
    for path in ("README.md", "samples/README.md", "notes/README.md"):
        world.workspace.write(job_id, path, b"# Card")
    world.complete(job_id)
    world.run_once()

    kinds = {file.path: file.kind for file in world.records.artifacts(job_id)}
    assert kinds == {
        "README.md": "model_card",
        "samples/README.md": "sample",
        "notes/README.md": "other",
        "adapter.safetensors": "adapter",
        "events.jsonl": "other",
    }


def test_of_all_attempts_checkpoints_as_many_stay_as_the_job_asked_for(world, collect):
    job = make_job(config=TrainingConfig(keep_checkpoints=2))
    world.store.add(job, status_event(None, job, "Submitted."))
    world.workspace.prepare(job.id, {})
    for attempt, steps in ((1, (100, 200)), (2, (300,))):
        for step in steps:
            world.workspace.write(job.id, f"checkpoints/step-{step:06d}/state.safetensors", b"x")
            world.workspace.write(job.id, f"checkpoints/step-{step:06d}/manifest.json", b"{}")
        collect.explain(job, make_attempt(job, number=attempt), EndReason.TRAINER_FAILED)

    paths = {file.path for file in world.records.artifacts(job.id)}
    assert {path.split("/")[1] for path in paths} == {"step-000200", "step-000300"}
    with pytest.raises(NotFound):
        world.artifacts.locate(job.id, "checkpoints/step-000100/state.safetensors")
    world.artifacts.locate(job.id, "checkpoints/step-000200/state.safetensors")


@pytest.mark.parametrize(
    ("is_wanted", "reason"), [(False, EndReason.ADAPTER_VERIFIED), (True, EndReason.ADAPTER_INVALID)]
)
def test_a_job_that_asked_for_layers_of_text_encoders_needs_them_in_its_adapter(world, collect, is_wanted, reason):
    job = make_job(config=TrainingConfig(text_encoder_lora=is_wanted))
    world.store.add(job, status_event(None, job, "Submitted."))
    world.workspace.prepare(job.id, {})
    world.workspace.write(job.id, "cat.safetensors", data := adapter_bytes())
    _report(world, job, adapters=[{"path": "cat.safetensors", "format": "kohya", "sha256": sha256_of(data)}])

    verdict = collect.conclude(job, make_attempt(job))

    assert verdict.reason is reason
    assert ("text encoders" in (verdict.message or "")) is is_wanted


def test_a_registered_checkpoint_keeps_its_bytes_whatever_a_later_attempt_leaves_at_its_path(world, collect):
    job = make_job(trigger_words=("sks",))
    world.store.add(job, status_event(None, job, "Submitted."))
    world.workspace.prepare(job.id, {})
    path = "checkpoints/step-000500/adapter.safetensors"
    world.workspace.write(job.id, path, b"registered")
    collect.explain(job, make_attempt(job), EndReason.TRAINER_FAILED)
    (file,) = world.records.artifacts(job.id)
    told = partial(promotion_event, job, actor=Actor.USER)
    world.registry.promote(job, file, name="cat", step=500, at=NOW, tell=told)

    world.workspace.write(job.id, path, b"of a later attempt")
    collect.explain(job, make_attempt(job, number=2), EndReason.TRAINER_FAILED)

    assert [(each.kind, each.sha256) for each in world.records.artifacts(job.id)] == [
        (ArtifactKind.ADAPTER, sha256_of(b"registered"))
    ]
    with world.artifacts.open(job.id, path) as kept:
        assert kept.read() == b"registered"
