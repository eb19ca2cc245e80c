"""Optimizers on a row of numbers, against torch's and against the paper written out in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lora_trainer.updater import WEIGHT_DECAY, AdamW, Prodigy, load

pytestmark = pytest.mark.trainer

GOAL = torch.linspace(-2, 2, 50)
SLOPES = torch.linspace(0.1, 1, 50)


def row_at(start):
    row = torch.nn.Parameter(start.clone())
    row.grad = torch.zeros_like(row)
    return row


def descend(row, updater, steps):
    """On a quadratic bowl around GOAL."""
    for _ in range(steps):
        row.grad.copy_((row.detach() - GOAL) * SLOPES)
        updater.update()
    return row.detach().clone()


def test_adamw_is_torchs_and_follows_a_rate_that_changes():
    rate = torch.tensor(1e-2)
    row, reference = row_at(torch.zeros(50)), row_at(torch.zeros(50))
    updater = AdamW(row, rate)
    plain = torch.optim.AdamW([reference], lr=1e-2, weight_decay=WEIGHT_DECAY)

    for value in (1e-2, 1e-3):
        rate.fill_(value)
        plain.param_groups[0]["lr"] = value
        descend(row, updater, 10)
        for _ in range(10):
            reference.grad.copy_((reference.detach() - GOAL) * SLOPES)
            plain.step()

    torch.testing.assert_close(row.detach(), reference.detach())


def prodigy_by_hand(steps, rate):
    """Algorithm 4 of arXiv:2306.06101."""
    x = start = np.zeros(50)
    goal, slopes = GOAL.double().numpy(), SLOPES.double().numpy()
    r, d, s, m, v = 0.0, 1e-6, np.zeros(50), np.zeros(50), np.zeros(50)
    root = 0.999**0.5
    for _ in range(steps):
        g = (x - goal) * slopes
        r = root * r + (1 - root) * rate * d**2 * (g @ (start - x))
        s = root * s + (1 - root) * rate * d**2 * g
        m = 0.9 * m + 0.1 * d * g
        v = 0.999 * v + 0.001 * d**2 * g**2
        x = x - rate * d * (m / (np.sqrt(v) + d * 1e-8) + WEIGHT_DECAY * x)
        d = max(d, r / np.abs(s).sum())
    return x, d


@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_prodigy_is_the_papers(rate):
    row = row_at(torch.zeros(50))
    updater = Prodigy(row, torch.tensor(rate))

    reached = descend(row, updater, 60)

    expected, distance = prodigy_by_hand(60, rate)
    np.testing.assert_allclose(reached, expected, rtol=1e-3, atol=1e-3)
    assert float(updater.step_size(rate)) == pytest.approx(rate * distance, rel=1e-3)


def test_prodigy_finds_the_size_of_its_steps_and_the_bottom():
    row = row_at(torch.zeros(50))
    updater = Prodigy(row, torch.tensor(1.0))

    reached = descend(row, updater, 400)

    assert 0.05 < float(updater.state["distance"]) < 2  # from 1e-6: the way to go is 2
    assert float((reached - GOAL).abs().max()) < 0.02


def test_without_a_gradient_prodigy_stays_finite():
    row = row_at(GOAL)

    Prodigy(row, torch.tensor(1.0)).update()

    assert row.isfinite().all()


@pytest.mark.parametrize("kind", [AdamW, Prodigy])
def test_a_loaded_state_goes_on_like_the_one_saved(kind):
    row = row_at(torch.zeros(50))
    updater = kind(row, torch.tensor(0.1))
    middle = descend(row, updater, 7)
    saved = {name: tensor.clone() for name, tensor in updater.state.items()}
    expected = descend(row, updater, 7)

    later = row_at(middle)
    resumed = kind(later, torch.tensor(0.1))
    load(resumed, saved)

    assert torch.equal(descend(later, resumed, 7), expected)


@pytest.mark.parametrize("kind", [AdamW, Prodigy])
def test_after_a_reset_all_is_as_at_the_start(kind):
    row = row_at(torch.zeros(50))
    updater = kind(row, torch.tensor(0.1))
    expected = descend(row, updater, 7)

    with torch.no_grad():
        row.zero_()
    updater.reset()

    assert torch.equal(descend(row, updater, 7), expected)
