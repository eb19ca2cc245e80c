"""Collected files: what is said of samples, which checkpoint is meant, which are too many."""

from __future__ import annotations

import pytest

from orchestrator.domain.artifact import (
    ArtifactKind,
    checkpoint_name,
    checkpoint_named,
    checkpoint_step,
    sample_of,
    stale_checkpoints,
)
from tests.factories import make_artifact, make_job

JOB = make_job()


def checkpoint(step, name="state.safetensors", **changes):
    return make_artifact(JOB, path=f"checkpoints/step-{step:06d}/{name}", kind=ArtifactKind.CHECKPOINT, **changes)


def test_a_sample_has_what_the_trainer_said_of_it():
    sample = sample_of(make_artifact(path="samples/1.png"), {"step": 100, "prompt": "گربه", "seed": 0})

    assert (sample.step, sample.prompt, sample.seed) == (100, "گربه", 0)


@pytest.mark.parametrize(
    "told", [{}, {"step": "1", "prompt": 5, "seed": True}, {"step": -1, "prompt": [], "seed": 2**60}]
)
def test_what_is_no_step_prompt_or_seed_is_left_out(told):
    sample = sample_of(make_artifact(path="samples/1.png"), told)

    assert (sample.step, sample.prompt, sample.seed) == (None, None, None)


def test_a_checkpoint_is_meant_by_its_name_or_by_any_of_its_files():
    files = [checkpoint(100), checkpoint(200), manifest := checkpoint(200, "manifest.json"), make_artifact(JOB)]

    assert checkpoint_named("step-000100", files) == "step-000100"
    assert checkpoint_named(manifest.id, files) == "step-000200"
    for wish in ("step-000300", files[-1].id, "state.safetensors", ""):
        assert checkpoint_named(wish, files) is None


def test_all_but_the_newest_checkpoints_are_stale_with_all_their_files():
    files = [checkpoint(step, name) for step in (300, 100, 200) for name in ("state.safetensors", "manifest.json")]

    stale = stale_checkpoints([*files, make_artifact(JOB)], keep=2)
    assert {file.path for file in stale} == {files[2].path, files[3].path}
    assert stale_checkpoints(files, keep=3) == []


def test_a_checkpoints_folder_is_named_after_its_step():
    assert checkpoint_name(500) == "step-000500"
    assert checkpoint_step("step-000500") == 500
    assert [checkpoint_step(name) for name in ("scratch", "step-500", "step-0005000", "")] == [None] * 4


def test_a_checkpoint_that_is_an_adapter_of_another_attempt_is_not_stale():
    old = checkpoint(100)
    adapter = make_artifact(JOB, path=old.path, attempt=2)

    assert stale_checkpoints([old, adapter, checkpoint(200)], keep=1) == []
