"""Runs that are stopped or killed in the middle end, after another attempt, where a straight run ends."""

from __future__ import annotations

import itertools
import json
import re
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
