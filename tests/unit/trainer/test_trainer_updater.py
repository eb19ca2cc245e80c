"""Optimizers on a row of numbers, against torch's and against the paper written out in float64."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from lora_trainer.updater import WEIGHT_DECAY, AdamW, AdamW8bit, Prodigy, has_eight_bits, load

pytestmark = pytest.mark.trainer

# bitsandbytes is not in this environment: what stands in for it keeps to the same names and counts as it does, with
# averages in float32. What is tested is the way to it and back.
STAND_IN = """
import torch

class AdamW8bit(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    def init_state(self, group, p, gindex, pindex):
        self.state[p].update(step=0, state1=torch.zeros_like(p), state2=torch.zeros_like(p), qmap1=None, qmap2=None)

    @torch.no_grad()
    def step(self):
        (group,) = self.param_groups
        (p,), (a, b) = group["params"], group["betas"]
        state = self.state[p]
        state["step"] += 1
        state["state1"].mul_(a).add_((1 - a) * p.grad)
        state["state2"].mul_(b).add_((1 - b) * p.grad.square())
        first, second = state["state1"] / (1 - a ** state["step"]), state["state2"] / (1 - b ** state["step"])
        p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * first / (second.sqrt() + group["eps"]))
"""

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


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    (tmp_path / "bitsandbytes").mkdir()
    (tmp_path / "bitsandbytes" / "__init__.py").touch()
    (tmp_path / "bitsandbytes" / "optim.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("bitsandbytes.optim", "bitsandbytes"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("stand_in")
def test_eight_bits_are_the_librarys_and_follow_a_rate_that_changes():
    rates = torch.tensor(1e-2), torch.tensor(1e-2)
    rows = row_at(torch.zeros(50)), row_at(torch.zeros(50))
    updaters = AdamW8bit(rows[0], rates[0]), AdamW(rows[1], rates[1])

    for value in (1e-2, 1e-3):
        for row, rate, updater in zip(rows, rates, updaters, strict=True):
            rate.fill_(value)
            descend(row, updater, 10)

    torch.testing.assert_close(rows[0].detach(), rows[1].detach())


@pytest.mark.usefixtures("stand_in")
def test_eight_bits_go_on_where_they_were_and_begin_anew_when_told_to():
    rate = torch.tensor(1e-2)
    straight = descend(row := row_at(torch.zeros(50)), AdamW8bit(row, rate), 20)
    first = row_at(torch.zeros(50))
    halfway = AdamW8bit(first, rate)
    descend(first, halfway, 10)

    second = row_at(first.detach())
    resumed = AdamW8bit(second, rate)
    load(resumed, {name: tensor.clone() for name, tensor in halfway.state.items()})

    assert torch.equal(descend(second, resumed, 10), straight)
    resumed.reset()
    assert not any(tensor.any() for tensor in resumed.state.values())


def test_without_the_library_or_a_gpu_there_are_no_eight_bits(request):
    gpu, cpu = torch.device("cuda"), torch.device("cpu")
    assert not has_eight_bits(gpu)

    request.getfixturevalue("stand_in")

    assert has_eight_bits(gpu)
    assert not has_eight_bits(cpu)
