"""The mathematics of a step against the same written out by hand, number by number in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lora_trainer.config import TrainingParams
from lora_trainer.errors import NotFinite
from lora_trainer.evaluate import fixed_noise_loss
from lora_trainer.loop import Reporter
from lora_trainer.objective import (
    add_noise,
    draw,
    generator,
    learning_rate,
    sample_weights,
    squared_error,
    target,
)
from lora_trainer.order import Order
from lora_trainer.step import Source, Stepper, StepResult
from tests.unit.trainer.toy import ALPHA_BARS, SIGMAS, Toy, schedule, toy_data

pytestmark = pytest.mark.trainer

KINDS = ("epsilon", "v_prediction", "flow")


def shares(kind, timestep):
    """(signal, noise) in what the model sees."""
    if kind == "flow":
        return 1 - SIGMAS[timestep], SIGMAS[timestep]
    return math.sqrt(ALPHA_BARS[timestep]), math.sqrt(1 - ALPHA_BARS[timestep])


def expected_target(kind, latents, noise, timestep):
    signal, noise_share = shares(kind, timestep)
    by_kind = {"epsilon": noise, "v_prediction": signal * noise - noise_share * latents, "flow": noise - latents}
    return by_kind[kind]


def expected_weight(kind, timestep, gamma):
    if gamma is None:
        return 1.0
    signal, noise_share = shares(kind, timestep)
    snr = (signal / noise_share) ** 2
    return min(snr, gamma) * (1 / snr if kind == "epsilon" else noise_share**2)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_targets_and_errors(kind):
    latents, noise, prediction = torch.randn(3, 3, 4, 8, 8, generator=generator(1, "test"))
    timesteps = torch.tensor([0, 400, 999])

    noisy = add_noise(schedule(kind), latents, noise, timesteps)
    wanted = target(schedule(kind), latents, noise, timesteps)
    errors = squared_error(prediction, wanted)

    for index, timestep in enumerate(timesteps.tolist()):
        x, e, p = (tensor[index].double().numpy() for tensor in (latents, noise, prediction))
        signal, noise_share = shares(kind, timestep)
        by_hand = expected_target(kind, x, e, timestep)
        np.testing.assert_allclose(noisy[index], signal * x + noise_share * e, atol=1e-5)
        np.testing.assert_allclose(wanted[index], by_hand, atol=1e-5)
        assert float(errors[index]) == pytest.approx(((p - by_hand) ** 2).mean(), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gamma", [None, 0.1, 5.0, 20.0])
def test_min_snr_weights(kind, gamma):
    timesteps = torch.arange(0, 1000, 37)

    weights = sample_weights(schedule(kind), timesteps, gamma)

    expected = [expected_weight(kind, timestep, gamma) for timestep in timesteps.tolist()]
    np.testing.assert_allclose(weights, expected, rtol=2e-3)


@pytest.mark.parametrize(
    ("kind", "warmup", "step", "share"),
    [
        ("constant", 50, 1, 1.0),
        ("constant_with_warmup", 50, 1, 0.02),
        ("constant_with_warmup", 50, 50, 1.0),
        ("constant_with_warmup", 50, 100, 1.0),
        ("constant_with_warmup", 0, 1, 1.0),
        ("cosine", 0, 1, 1.0),
        ("cosine", 0, 51, 0.5),
        ("cosine", 20, 10, 0.5),
        ("cosine", 20, 61, 0.5),
        ("cosine", 20, 100, 0.5 * (1 + math.cos(math.pi * 79 / 80))),
        ("cosine", 200, 100, 0.5),
    ],
)
def test_learning_rates(kind, warmup, step, share):
    rate = learning_rate(step, peak=1e-4, kind=kind, warmup=warmup, steps=100)

    assert rate == pytest.approx(1e-4 * share)


def draw_for(seed, step):
    shape = torch.Size((2, 4, 8, 8))
    return draw(generator(seed, "noise", step, 0), shape, timesteps=1000, noise_offset=0.1, caption_dropout=0.5)


def test_randomness_follows_from_seed_and_step_alone():
    first = draw_for(42, 7)
    torch.manual_seed(0)
    draw_for(1, 1)

    again = draw_for(42, 7)

    for name in ("posterior", "noise", "timesteps", "drops_caption"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    assert not torch.equal(first.noise, draw_for(42, 8).noise)
    assert not torch.equal(first.noise, draw_for(43, 7).noise)


def test_noise_offset_is_one_number_a_channel():
    shape = torch.Size((2, 4, 8, 8))

    def noise(offset):
        return draw(generator(1, "noise"), shape, timesteps=10, noise_offset=offset, caption_dropout=0).noise

    added = noise(0.5) - noise(0.0)

    assert added.flatten(2).std(dim=2).max() < 1e-6
    assert added[:, :, 0, 0].unique().numel() == 8


class ByHand:
    """Loss of `Toy` and its slope, summed up number by number."""

    def __init__(self, kind, params):
        self.kind = kind
        self.params = params
        self.loss = self.slope = 0.0

    def add(self, source, step):
        params, shelf = self.params, source.data.shelves[0]
        size, parts = params.batch_size, params.gradient_accumulation_steps
        _, items = Order(params.seed, source.name, (len(shelf),), size * parts).at(step)
        for part in range(parts):
            drawn = draw(
                generator(params.seed, "noise", source.name, step, part),
                torch.Size((size, 4, 8, 8)),
                timesteps=1000,
                noise_offset=0,
                caption_dropout=source.caption_dropout,
            )
            coins = generator(params.seed, "flip", source.name, step, part)
            flips = torch.randint(source.data.variants, (size,), generator=coins)
            for row, item in enumerate(items[part * size : (part + 1) * size]):
                text = -1.0 if drawn.drops_caption[row] else float(source.data.conditioning["text"][item].mean())
                mean = shelf.mean[item, flips[row]].double().numpy()
                self._add_sample(drawn, row, mean, text, source.weight / (size * parts))

    def _add_sample(self, drawn, row, mean, text, share):
        timestep = int(drawn.timesteps[row])
        e, z = drawn.noise[row].double().numpy(), drawn.posterior[row].double().numpy()
        x = mean + 0.1 * z
        signal, noise_share = shares(self.kind, timestep)
        noisy = signal * x + noise_share * e
        off = 0.5 * noisy + text - expected_target(self.kind, x, e, timestep)
        weight = share * expected_weight(self.kind, timestep, self.params.min_snr_gamma)
        self.loss += weight * (off**2).mean()
        self.slope += weight * (2 * off * noisy).mean()


SUBJECT = Source("train", toy_data(), weight=1.0, caption_dropout=0.5)
MIRRORED = Source("train", toy_data(variants=2), weight=1.0, caption_dropout=0.5)
CLASS = Source("prior", toy_data(3, seed=5), weight=0.7, caption_dropout=0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gamma", [None, 5.0])
@pytest.mark.parametrize("sources", [[SUBJECT], [MIRRORED], [SUBJECT, CLASS]], ids=["plain", "flipped", "prior"])
def test_a_step_descends_the_loss_computed_by_hand(kind, gamma, sources):
    params = TrainingParams(batch_size=2, gradient_accumulation_steps=2, min_snr_gamma=gamma, learning_rate=1e-3)
    empty, family = {"text": torch.full((1, 2, 3), -1.0)}, Toy(kind)
    expected = ByHand(kind, params)
    for source in sources:
        expected.add(source, step=3)

    result = Stepper(family, family.weights, sources, empty, params, recorder=None)(3)

    assert float(result.loss) == pytest.approx(expected.loss, rel=1e-4)
    assert float(result.gradient_norm) == pytest.approx(abs(expected.slope), rel=1e-4)
    # AdamW's first update is the learning rate against the sign, after decay by rate * 0.01.
    assert family.denoiser.item() == pytest.approx(0.5 * (1 - 1e-5) - math.copysign(1e-3, expected.slope), abs=1e-6)


def test_the_loss_on_fixed_noise_moves_with_the_model_alone():
    data = toy_data()
    first = fixed_noise_loss(Toy(weight=0.5), data)
    torch.manual_seed(1)

    assert fixed_noise_loss(Toy(weight=0.5), data) == first
    assert fixed_noise_loss(Toy(weight=0.6), data) != first


def test_a_loss_on_fixed_noise_that_is_not_finite_has_its_own_exit_code():
    with pytest.raises(NotFinite, match="loss on fixed noise is not finite"):
        fixed_noise_loss(Toy(weight=math.inf), toy_data())


@pytest.mark.parametrize(("loss", "norm", "name"), [(math.nan, 1.0, "loss"), (1.0, math.inf, "gradient")])
def test_one_step_that_is_not_finite_is_noticed_at_the_next_report(loss, norm, name):
    reporter = Reporter(
        None, done=0, steps=100, samples_a_step=1, train_count=4, val_count=0, val_loss_at=lambda _step: None
    )
    bad = StepResult(torch.tensor(loss), torch.tensor(norm), 1e-4)
    fine = StepResult(torch.tensor(1.0), torch.tensor(1.0), 1e-4)
    reporter(2, bad)
    reporter(3, fine)

    with pytest.raises(NotFinite, match=f"the {name} is not finite at step 100"):
        reporter(100, fine)
