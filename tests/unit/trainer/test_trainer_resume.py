"""A run that was stopped, or rolled back, and goes on: bit for bit the run that never was."""

from __future__ import annotations

import json

import pytest
import torch

from lora_trainer.checkpoint import CheckpointFolder
from lora_trainer.config import TrainingParams
from lora_trainer.errors import NotFinite, StoppedOnRequest
from lora_trainer.evaluate import EarlyStopping
from lora_trainer.events import EventLog
from lora_trainer.loop import Reporter, train
from lora_trainer.objective import generator
from lora_trainer.rollback import train_with_a_second_chance
from lora_trainer.state import Checkpointer, TrainingState
from lora_trainer.step import Source, Stepper
from lora_trainer.stop import StopRequest
from tests.unit.trainer.toy import Toy, toy_data

pytestmark = pytest.mark.trainer

STEPS = 100
KINDS = {
    "plain": {},
    "average": {"ema_decay": 0.9},
    "prodigy": {"optimizer": "prodigy"},
    "warm-up": {"lr_scheduler": "cosine", "lr_warmup_steps": 4},
    "two batches a step": {"batch_size": 2, "gradient_accumulation_steps": 2, "min_snr_gamma": 5.0},
    "everything": {"optimizer": "prodigy", "ema_decay": 0.99, "lr_scheduler": "cosine", "noise_offset": 0.1},
}


class Fragile(Toy):
    """Predicts what is no number in some of its calls."""

    def __init__(self, bad_calls=()):
        super().__init__()
        self.calls = 0
        self.bad_calls = set(bad_calls)

    def predict(self, noisy, timesteps, conditioning):
        self.calls += 1
        prediction = super().predict(noisy, timesteps, conditioning)
        return prediction * float("nan") if self.calls in self.bad_calls else prediction


class Attempt:
    """One process's part of a run of `steps` steps, in a folder that attempts share."""

    def __init__(self, folder, *, every=5, bad_calls=(), **params):
        params = TrainingParams(learning_rate=1e-2, steps=params.pop("steps", STEPS), checkpoint_every=every, **params)
        family = Fragile(bad_calls)
        sources = [Source("train", toy_data(sizes=(3, 2)), weight=1.0, caption_dropout=0.3)]
        empty = {"text": torch.zeros(1, 2, 3)}
        self.params, self.weights = params, family.weights
        self.stepper = Stepper(family, family.weights, sources, empty, params, recorder=None)
        self.state = TrainingState(self.stepper, EarlyStopping(None))
        self.folder = CheckpointFolder(folder / "checkpoints", identity="toy", keep=2)
        self.events = EventLog(folder)
        self.stop = StopRequest()
        self.learning_rates = {}

    def run(self, *, stop_at=None, wanted=None):
        """The row of weights in the end; None if stopped."""
        if checkpoint := self.folder.find(wanted):
            self.state.resume(checkpoint)
        try:
            train_with_a_second_chance(
                lambda: self._train(stop_at),
                self.state,
                self.folder,
                self.events,
                start_over=lambda: self.weights.restore({"w": torch.tensor([0.5])}),
            )
        except StoppedOnRequest:
            return None
        self.state.settle()
        return self.weights.row.detach().clone()

    def _train(self, stop_at):
        counts = {"samples_a_step": 1, "train_count": 5, "val_count": 0}
        steps = self.params.steps
        reporter = Reporter(self.events, done=self.state.step, steps=steps, val_loss_at=lambda _step: None, **counts)
        checkpointer = Checkpointer(
            self.state,
            self.folder,
            self.events,
            self.stop,
            every=self.params.checkpoint_every,
            steps=steps,
            require_finite=reporter.require_finite,
        )

        def watch(step, result):
            self.learning_rates[step] = float(result.learning_rate)
            self.stop.is_made = step == stop_at

        train(
            self.stepper,
            done=self.state.step,
            steps=steps,
            callbacks=[watch, reporter, checkpointer],
            is_over=lambda: False,
        )


def folder_in(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    return folder


def warnings_in(folder):
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return [event["message"] for event in events if event["type"] == "warning"]


@pytest.mark.parametrize("kind", KINDS)
def test_three_steps_and_three_more_are_six_steps(kind, tmp_path):
    params = KINDS[kind] | {"steps": 6}
    straight = Attempt(folder_in(tmp_path, "straight"), **params).run()
    shared = folder_in(tmp_path, "resumed")

    assert Attempt(shared, **params).run(stop_at=3) is None
    assert torch.equal(Attempt(shared, **params).run(), straight)
    assert not torch.equal(straight, torch.tensor([0.5]))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].get("lr_scheduler") != "cosine"])
def test_a_run_of_three_steps_that_is_continued_to_six_is_one_of_six(kind, tmp_path):
    params = KINDS[kind]
    straight = Attempt(folder_in(tmp_path, "straight"), steps=6, **params).run()
    shared = folder_in(tmp_path, "continued")
    assert Attempt(shared, steps=3, **params).run() is not None

    assert torch.equal(Attempt(shared, steps=6, **params).run(), straight)


def test_a_continued_cosine_is_stretched_over_all_steps(tmp_path):
    shared = folder_in(tmp_path, "continued")
    first = Attempt(shared, steps=10, lr_scheduler="cosine")
    first.run()
    second = Attempt(shared, steps=20, lr_scheduler="cosine")
    second.run()
    whole = Attempt(folder_in(tmp_path, "whole"), steps=20, lr_scheduler="cosine")
    whole.run()

    assert second.learning_rates == {step: whole.learning_rates[step] for step in range(11, 21)}
    assert second.learning_rates[11] > first.learning_rates[10]


class ComesWhileLookedAt(StopRequest):
    """The signal arrives just after the first look."""

    looks = 0

    @property
    def is_made(self):
        self.looks += 1
        return self.looks > 1

    @is_made.setter
    def is_made(self, _value):
        pass


def test_a_stop_that_comes_while_a_step_is_looked_over_finds_the_next_steps_checkpoint(tmp_path):
    attempt = Attempt(tmp_path, steps=20, every=100)
    attempt.stop = ComesWhileLookedAt()

    assert attempt.run() is None
    assert attempt.folder.find(None).step == attempt.state.step == 2


def test_a_run_stopped_at_any_step_however_often_ends_like_a_straight_one(tmp_path):
    params = KINDS["everything"] | {"steps": 30}
    straight = Attempt(folder_in(tmp_path, "straight"), **params).run()

    for seed in range(20):
        shared = folder_in(tmp_path, f"stopped-{seed}")
        stops = sorted((1 + torch.randperm(29, generator=generator(seed, "stops"))[:3]).tolist())
        for stop_at in stops:
            assert Attempt(shared, **params).run(stop_at=stop_at) is None, stops
        assert torch.equal(Attempt(shared, **params).run(), straight), stops


def test_what_is_exported_is_the_average(tmp_path):
    attempt = Attempt(folder_in(tmp_path, "run"), ema_decay=0.9, steps=20)

    exported = attempt.run()

    assert torch.equal(exported, attempt.stepper.average)
    plain = Attempt(folder_in(tmp_path, "plain"), steps=20).run()
    assert not torch.equal(exported, plain)


def test_the_network_shows_its_average_where_it_is_judged_and_trains_on_without(tmp_path):
    attempt = Attempt(folder_in(tmp_path, "run"), ema_decay=0.9, steps=20)
    for step in range(1, 6):
        attempt.stepper(step)
    own = attempt.weights.row.detach().clone()

    with attempt.stepper.averaged():
        assert torch.equal(attempt.weights.row, attempt.stepper.average)

    assert torch.equal(attempt.weights.row, own)


@pytest.mark.parametrize("kind", ["plain", "everything"])
def test_after_a_loss_that_is_no_number_the_run_goes_on_half_as_fast_from_its_checkpoint(kind, tmp_path):
    folder = folder_in(tmp_path, "run")
    attempt = Attempt(folder, bad_calls=[8], steps=20, **KINDS[kind])

    attempt.run()

    (warning,) = warnings_in(folder)
    assert "not finite at step 10" in warning
    assert "going on after step 5 with half the learning rate" in warning
    assert attempt.stepper.rate_factor == 0.5
    if kind == "plain":
        assert attempt.learning_rates[5] == 1e-2
        assert attempt.learning_rates[6] == 5e-3


def test_without_a_checkpoint_it_goes_on_from_the_start(tmp_path):
    folder = folder_in(tmp_path, "run")
    halved = Attempt(folder_in(tmp_path, "halved"), steps=20)
    halved.stepper.rate_factor = 0.5

    rolled_back = Attempt(folder, bad_calls=[2], steps=20).run()

    assert "going on after step 0 with half the learning rate" in warnings_in(folder)[0]
    assert torch.equal(rolled_back, halved.run())


@pytest.mark.parametrize("bad_call", [2, 8], ids=["from the start", "from a checkpoint"])
def test_a_run_that_was_rolled_back_and_then_stopped_ends_like_one_that_was_only_rolled_back(bad_call, tmp_path):
    straight = Attempt(folder_in(tmp_path, "straight"), bad_calls=[bad_call], steps=20).run()
    shared = folder_in(tmp_path, "stopped")

    assert Attempt(shared, bad_calls=[bad_call], steps=20).run(stop_at=12) is None

    assert torch.equal(Attempt(shared, steps=20).run(), straight)


def test_there_is_no_third_chance(tmp_path):
    attempt = Attempt(folder_in(tmp_path, "run"), bad_calls=[8, 14], steps=20)

    with pytest.raises(NotFinite, match=r"not finite at step 10.*halved before, and that did not suffice"):
        attempt.run()


def test_a_later_attempt_knows_that_the_chance_is_spent(tmp_path):
    shared = folder_in(tmp_path, "run")
    first = Attempt(shared, bad_calls=[8, 14], steps=20)
    with pytest.raises(NotFinite):
        first.run()

    second = Attempt(shared, bad_calls=[1], steps=20)

    with pytest.raises(NotFinite, match="did not suffice"):
        second.run()
    assert second.stepper.rate_factor == 0.5
