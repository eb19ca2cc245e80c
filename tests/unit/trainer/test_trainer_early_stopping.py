"""A run that gets no better ends, with the weights that were best."""

from __future__ import annotations

from typing import Any

import torch

from lora_trainer.evaluate import EarlyStopping
from lora_trainer.loop import train

LOSSES = (0.9, 0.5, 0.6, 0.7, 0.4)


def steps_taken(stopping: EarlyStopping) -> int:
    """A run of as many steps as there are losses, validated after each."""

    def validate(step: int, _: Any) -> None:
        stopping.note(LOSSES[step - 1], lambda: {"adapter": torch.tensor(float(step))})

    return train(
        lambda step: step,
        done=0,
        steps=len(LOSSES),
        callbacks=[validate],
        is_over=stopping.is_over,
    )


def test_a_run_ends_after_as_many_validations_without_a_better_one_and_keeps_the_best_weights() -> None:
    stopping = EarlyStopping(patience=2)
    assert steps_taken(stopping) == 4
    assert (stopping.best_loss, stopping.best["adapter"]) == (0.5, torch.tensor(2.0))


def test_with_more_patience_it_comes_to_the_better_one() -> None:
    stopping = EarlyStopping(patience=3)
    assert steps_taken(stopping) == len(LOSSES)
    assert (stopping.best_loss, stopping.best["adapter"]) == (0.4, torch.tensor(5.0))


def test_without_patience_it_never_ends_early_and_keeps_nothing() -> None:
    stopping = EarlyStopping(patience=None)
    assert steps_taken(stopping) == len(LOSSES)
    assert stopping.best == {}


def test_a_run_that_goes_on_from_a_checkpoint_has_not_forgotten_its_misses() -> None:
    before = EarlyStopping(patience=2)
    for loss in LOSSES[:3]:
        before.note(loss, lambda: {"adapter": torch.zeros(1)})
    after = EarlyStopping(patience=2)
    after.resume(before.facts(), before.best)
    after.note(LOSSES[3], dict)
    assert after.is_over()


def test_a_run_that_continues_another_has_its_patience_anew_and_the_same_best_to_beat() -> None:
    stopping = EarlyStopping(patience=2)
    steps_taken(stopping)
    stopping.be_patient_again()
    assert not stopping.is_over()
    assert (stopping.best_loss, stopping.best["adapter"]) == (0.5, torch.tensor(2.0))
