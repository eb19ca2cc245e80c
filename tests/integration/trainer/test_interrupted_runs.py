"""Runs that are stopped or killed in the middle end, after another attempt, where a straight run ends."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import signal

import pytest
import torch
from safetensors.numpy import load_file

from lora_trainer.checkpoint import MANIFEST, TENSORS
from tests.factories import sha256_of
from tests.integration.trainer.attempts import checkpoints, start_save, tensors_of
from tests.integration.trainer.conftest import RUN_SECONDS


def test_a_stopped_run_saves_a_checkpoint_and_its_next_attempt_ends_like_a_straight_run(
    make_run, straight_run, tmp_path
):
    run = make_run(tmp_path)

    assert run.interrupt(signal.SIGTERM, after_step=20) == 15, run.log()

    (checkpoint,) = run.events("checkpoint")
    (error,) = run.events("error")
    stopped_at = checkpoint["step"]
    assert 20 < stopped_at < 100
    assert error["code"] == "stopped"
    assert f"at step {stopped_at} of 100; a checkpoint is saved" in error["message"]
    assert not run.adapter.exists()

    assert run.finish() == 0, run.log()
    assert f"resuming after step {stopped_at}" in run.log()
    for path, straight in ((run.adapter, straight_run.adapter), (run.twin, straight_run.twin)):
        assert tensor_bytes(path) == tensor_bytes(straight)


def continue_from(run, checkpoints):
    """What the orchestrator gives the first attempt of a job that continues another."""
    if checkpoints is not None:
        shutil.copytree(checkpoints, run.outputs / "checkpoints")
    config = json.loads((run.folder / "config.json").read_text(encoding="utf-8"))
    (run.folder / "config.json").write_text(json.dumps(config | {"continues_from": "step-000100"}), encoding="utf-8")


def test_a_run_that_continues_anothers_checkpoint_ends_like_one_that_was_never_interrupted(
    make_run, straight_run, tmp_path
):
    for name in ("longer", "continued"):
        (tmp_path / name).mkdir()
    longer, continued = (make_run(tmp_path / name, steps=150) for name in ("longer", "continued"))
    continue_from(continued, straight_run.outputs / "checkpoints")

    assert longer.finish() == 0, longer.log()
    assert continued.finish() == 0, continued.log()

    assert "resuming after step 100" in continued.log()
    assert continued.events("metrics")[0]["step"] == 101
    for path, straight in ((continued.adapter, longer.adapter), (continued.twin, longer.twin)):
        assert tensor_bytes(path) == tensor_bytes(straight)
    last = "checkpoints/step-000150/state.safetensors"  # the optimizer's state too
    assert tensor_bytes(continued.outputs / last) == tensor_bytes(longer.outputs / last)


@pytest.mark.parametrize("damage", ["missing", "of another configuration"])
def test_a_run_that_cannot_continue_is_refused_and_does_not_begin_anew(make_run, straight_run, tmp_path, damage):
    is_missing = damage == "missing"
    run = make_run(tmp_path, steps=150, **({} if is_missing else {"seed": 7}))
    continue_from(run, None if is_missing else straight_run.outputs / "checkpoints")

    assert run.finish() == 10, run.log()
    (error,) = run.events("error")
    assert error["message"].startswith("the checkpoint step-000100 to go on from is not there")
    assert run.events("metrics") == []


def tensor_bytes(path):
    """Not the file's bytes: safetensors writes metadata in an order that differs from process to process."""
    return {name: values.tobytes() for name, values in load_file(path).items()}


def test_a_killed_run_leaves_whole_checkpoints_that_the_next_attempt_goes_on_from(make_run, tmp_path):
    run = make_run(tmp_path, checkpoint_every=1)

    for after_step in (10, 25):
        assert run.interrupt(signal.SIGKILL, after_step=after_step) == -signal.SIGKILL
        assert list((run.outputs / "checkpoints").glob("step-*"))
        assert_whole(run.outputs / "checkpoints")

    (resumed_after,) = map(int, re.findall(r"resuming after step (\d+)", run.log()))
    assert 10 <= resumed_after < 100
    assert "passed over" not in run.log()


def assert_whole(checkpoints):
    for folder in checkpoints.glob("step-*"):
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        assert manifest["sha256"] == sha256_of((folder / TENSORS).read_bytes())


@pytest.mark.parametrize("step", [10, 5], ids=["the next one", "the same one again"])
def test_a_save_killed_at_any_point_leaves_a_whole_checkpoint(tmp_path, step):
    """Only one is kept, so whatever is lost here has no older one in its place."""
    found = []
    for killed_at in itertools.count(1):
        folder = tmp_path / str(killed_at)
        checkpoints(folder).save(5, tensors_of(5), {"touches": None})

        process = start_save(folder, step, killed_at=killed_at)
        process.join(RUN_SECONDS)

        assert_whole(folder)
        kept = checkpoints(folder).find(None)
        assert kept is not None, killed_at
        assert torch.equal(kept.tensors["adapter/x"], tensors_of(kept.step)["adapter/x"])
        found.append(kept.facts["touches"])
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert found[0] is None  # killed ahead of everything, the old one is there
    assert found[-2:] == [killed_at - 1, killed_at]  # and the new one before all is cleared away
