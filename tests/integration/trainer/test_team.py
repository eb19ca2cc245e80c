"""Two processes that train together do what one does with twice the batches, and end as one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.integration.trainer.conftest import RUN_SECONDS
from tests.unit.trainer.documents import TRAINER

STEPS = 4
DRIVER = Path(__file__).with_name("team_driver.py")


@pytest.fixture
def train(make_run, tmp_path):
    """`train(name, processes, accumulation)`: the run's folder, its exit code and what it printed."""

    def trained(name, *, processes, accumulation=1, stop=False, **params):
        folder = tmp_path / name
        if not folder.exists():
            folder.mkdir()
            params |= {"gradient_accumulation_steps": accumulation, "checkpoint_every": 2, "sample_every": None}
            make_run(folder, **params)
        arguments = [str(folder / "config.json"), str(processes), str(STEPS), *(["stop"] if stop else [])]
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(TRAINER)}
        ended = subprocess.run(
            [sys.executable, str(DRIVER), *arguments],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * RUN_SECONDS,
        )
        return folder / "outputs", ended

    return trained


def adapter(outputs):
    return load_file(outputs / "nine-photographs.safetensors")


def assert_near(one, other):
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-3, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("adapts_text", [False, True], ids=["UNet", "text encoders too"])
def test_two_processes_learn_what_one_learns_from_as_many_batches(train, adapts_text):
    together, ended = train("together", processes=2, text_encoder_lora=adapts_text)
    assert ended.returncode == 0, ended.stderr
    assert "training on 2 devices together" in ended.stdout
    assert ended.stdout.count("resuming") == 0

    alone, ended = train("alone", processes=1, accumulation=2, text_encoder_lora=adapts_text)
    assert ended.returncode == 0, ended.stderr

    assert_near(adapter(together), adapter(alone))


def test_a_stopped_team_goes_on_as_one_that_was_not(train):
    stopped, ended = train("stopped", processes=2, stop=True)
    assert ended.returncode == 15, ended.stderr
    _, ended = train("stopped", processes=2)
    assert ended.returncode == 0, ended.stderr
    assert "resuming after step 1" in ended.stdout

    straight, ended = train("straight", processes=2)
    assert ended.returncode == 0, ended.stderr

    for name, values in adapter(straight).items():
        np.testing.assert_array_equal(values, adapter(stopped)[name])
