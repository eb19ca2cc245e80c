"""However often and wherever a run is stopped, it goes on where it was and ends like a straight one, bit for bit."""

from __future__ import annotations

import json
import re
import signal

import pytest
import torch

from tests.integration.trainer.attempts import start_attempt
from tests.integration.trainer.conftest import RUN_SECONDS, Run
from tests.unit.trainer.documents import diagnostic_document
from tests.waiting import eventually

STOPS = 20
EPOCHS = 100
LAST_STEP = 1443  # of 16 rows out of 231; stops come in the first half, so that none comes too late


def make_run(folder):
    run = Run(folder)
    run.outputs.mkdir(parents=True)
    document = diagnostic_document(output_path=str(run.outputs), training_params={"epochs": EPOCHS})
    (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")
    return run


def finish(run):
    process = start_attempt(run.folder)
    process.join(RUN_SECONDS)
    return process.exitcode


def interrupt(run, number, after_step):
    """Exit code of an attempt that gets a signal once it has itself reported a step after `after_step`."""
    earlier = len(run.events("metrics"))
    process = start_attempt(run.folder)

    def has_come_so_far():
        return any(event["step"] > after_step for event in run.events("metrics")[earlier:])

    try:
        eventually(has_come_so_far, within_seconds=RUN_SECONDS, what=f"step {after_step}")
    finally:
        process.terminate() if number is signal.SIGTERM else process.kill()
    process.join(RUN_SECONDS)
    return process.exitcode


def weights(run):
    return torch.load(run.outputs / "model.pt", weights_only=True)["network"]


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 15), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_stopped_at_twenty_random_steps_ends_like_a_straight_one(tmp_path, chance, number, exit_code):
    steps = sorted(chance.sample(range(LAST_STEP // 2), STOPS))
    straight, stopped = make_run(tmp_path / "straight"), make_run(tmp_path / "stopped")
    assert finish(straight) == 0, straight.log()

    for step in steps:
        assert interrupt(stopped, number, after_step=step) == exit_code, stopped.log()
    assert finish(stopped) == 0, stopped.log()

    if number is signal.SIGTERM:
        resumed = [int(step) for step in re.findall(r"resuming after step (\d+)", stopped.log())]
        assert (len(resumed), sorted(set(resumed))) == (STOPS, resumed)  # each later than the one before
        assert set(resumed) <= {event["step"] for event in stopped.events("checkpoint")}
        assert len([error for error in stopped.events("error") if error["code"] == "stopped"]) == STOPS
    for name, tensor in weights(straight).items():
        assert torch.equal(weights(stopped)[name], tensor), name
