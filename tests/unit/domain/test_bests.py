"""The best that training has come to, kept as its measurements come in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.bests import nearest_checkpoint, with_bests
from orchestrator.domain.job import Progress
from tests.contract.job_store import make_metric
from tests.factories import make_job

JOB = make_job()


def measured(step, loss, val_loss=None, attempt=1):
    return replace(make_metric(JOB, step, loss), val_loss=val_loss, attempt=attempt)


def bests(progress):
    return progress.best_loss, progress.best_loss_step, progress.best_val_loss, progress.best_val_loss_step


def test_each_loss_is_kept_at_its_lowest_with_its_own_step():
    found = with_bests(
        Progress(), [measured(1, 0.5, 0.9), measured(2, 0.3), measured(3, 0.4, 0.7), measured(4, 0.6, 0.8)]
    )

    assert bests(found) == (0.3, 2, 0.7, 3)


def test_of_two_that_are_as_low_the_earlier_stands():
    found = with_bests(with_bests(Progress(), [measured(1, 0.3, 0.3)]), [measured(2, 0.3, 0.3)])

    assert bests(found) == (0.3, 1, 0.3, 1)


def test_what_came_before_is_kept_and_a_later_attempt_counts_too():
    known = Progress(best_loss=0.2, best_loss_step=40, best_val_loss=0.5, best_val_loss_step=40)

    assert bests(with_bests(known, [measured(10, 0.3, 0.4, attempt=2)])) == (0.2, 40, 0.4, 10)


def test_without_measurements_nothing_changes():
    progress = Progress(current_step=7)

    assert with_bests(progress, []) is progress


def test_the_best_step_is_that_of_the_validations_where_there_were_any():
    assert with_bests(Progress(), [measured(1, 0.1), measured(2, 0.5)]).best_step == 1
    assert with_bests(Progress(), [measured(1, 0.1), measured(2, 0.5, 0.5)]).best_step == 2
    assert Progress().best_step is None


@pytest.mark.parametrize(
    ("names", "step", "expected"),
    [
        (["step-000100", "step-000200"], 140, "step-000100"),
        (["step-000100", "step-000200"], 160, "step-000200"),
        (["step-000100", "step-000200"], 150, "step-000100"),
        (["step-000100", "odd"], 90, "step-000100"),
        (["step-000100"], None, None),
        ([], 100, None),
    ],
)
def test_the_checkpoint_of_a_best_is_the_one_saved_nearest_to_it(names, step, expected):
    assert nearest_checkpoint(names, step) == expected
