"""Recorded steps: the same numbers as computed ones, and no way to fail for want of a recording."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch

from lora_trainer.config import TrainingParams
from lora_trainer.graph import STEPS_BEFORE_RECORDING, Replayed, recorder_for
from lora_trainer.step import Source, Stepper
from tests.unit.trainer.toy import Toy, toy_data

pytestmark = pytest.mark.trainer


@dataclass
class FakeRecorder:
    """Replays as a graph does: the same work on the same tensors, whose content alone may change."""

    fails_to_record: bool = False
    fails_at_replay: int = 0
    log: list[str] = field(default_factory=list)

    def warm_up(self, work):
        self.log.append("warm up")
        return work()

    def record(self, work):
        self.log.append("record")
        if self.fails_to_record:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")
        outputs = (torch.zeros(()), torch.zeros(()))

        def replay():
            self.log.append("replay")
            if self.log.count("replay") == self.fails_at_replay:
                raise RuntimeError("CUDA error: launch failure")
            for output, result in zip(outputs, work(), strict=True):
                output.copy_(result)

        return outputs, replay


def weights_after(steps, recorder, sizes=(4,)):
    family = Toy()
    params = TrainingParams(batch_size=2, gradient_accumulation_steps=2, learning_rate=1e-3, ema_decay=0.9)
    sources = [
        Source("train", toy_data(sizes=sizes), weight=1.0, caption_dropout=0.5),
        Source("prior", toy_data(seed=5), weight=0.7, caption_dropout=0.0),
    ]
    stepper = Stepper(family, family.weights, sources, {"text": torch.zeros(1, 2, 3)}, params, recorder=recorder)
    results = [stepper(step) for step in range(1, steps + 1)]
    losses = [float(result.loss) for result in results]  # read after all steps: each result is a tensor of its own
    return (
        losses,
        [float(result.gradient_norm) for result in results],
        float(family.weights.row.detach()),
        float(stepper.average),
    )


@pytest.mark.parametrize("sizes", [(4,), (3, 2)], ids=["one shape", "two shapes"])
def test_recorded_steps_give_the_numbers_of_computed_ones(sizes):
    recorder = FakeRecorder()

    assert weights_after(20, recorder, sizes) == weights_after(20, None, sizes)

    assert recorder.log.count("warm up") == STEPS_BEFORE_RECORDING * len(sizes)
    assert recorder.log.count("record") == len(sizes)
    assert recorder.log.count("replay") == 20 - STEPS_BEFORE_RECORDING * len(sizes)


@pytest.mark.parametrize("recorder", [FakeRecorder(fails_to_record=True), FakeRecorder(fails_at_replay=2)], ids=str)
def test_where_recording_fails_the_run_goes_on_and_says_so_once(recorder, capsys):
    assert weights_after(12, recorder) == weights_after(12, None)

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("no CUDA graph, going on without: RuntimeError: ")
    assert recorder.log.count("record") == 1


def test_an_error_of_the_step_itself_is_not_hidden():
    def compute(_inputs):
        raise torch.OutOfMemoryError("out of memory")

    for recorder in (None, FakeRecorder()):
        with pytest.raises(torch.OutOfMemoryError):
            Replayed(compute, recorder)([{"x": torch.zeros(1)}])


def test_without_a_gpu_nothing_is_recorded():
    assert recorder_for(torch.device("cpu")) is None
