"""Runs that are stopped or killed in the middle end, after another attempt, where a straight run ends."""

from __future__ import annotations

import json
import re
import signal

from safetensors.numpy import load_file

from lora_trainer.checkpoint import MANIFEST, TENSORS
from tests.factories import sha256_of


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
        assert_whole(run.outputs / "checkpoints")

    (resumed_after,) = map(int, re.findall(r"resuming after step (\d+)", run.log()))
    assert 10 <= resumed_after < 100
    assert "passed over" not in run.log()


def assert_whole(checkpoints):
    steps = sorted(checkpoints.glob("step-*"))
    assert steps
    for folder in steps:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        assert manifest["sha256"] == sha256_of((folder / TENSORS).read_bytes())
