"""The row of trained numbers, its copy in half precision, and the lean layer against peft's."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from lora_trainer import adapter
from lora_trainer.families.family import Network
from lora_trainer.objective import generator
from lora_trainer.weights import Weights, gradient_of

pytestmark = pytest.mark.trainer

CPU = torch.device("cpu")
RANK, ALPHA = 4, 8
SHAPES = {"a": (2, 3), "b": (4,)}


class TwoLayers(nn.Module):
    """Two layers, of which one is adapted."""

    def __init__(self, dtype):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.first = nn.Linear(12, 24)
            self.second = nn.Linear(24, 6, bias=False)
        self.to(dtype).requires_grad_(requires_grad=False)

    @property
    def dtype(self):
        return self.first.weight.dtype

    @property
    def device(self):
        return CPU

    def forward(self, values):
        return self.second(torch.tanh(self.first(values)))


class Family:
    def __init__(self, dtype):
        self.denoiser = TwoLayers(dtype)

    @property
    def networks(self):
        return [Network(self.denoiser, r"first|second", "unet", kohya_key=str)]


def attached(dtype):
    family = Family(dtype)
    trained = adapter.attach(family, rank=RANK, alpha=ALPHA, seed=1)
    with torch.no_grad():
        for pair in trained.pairs:
            pair.up.copy_(torch.randn(pair.up.shape, generator=generator(1, pair.module)))
    trained.weights.refresh()
    return family.denoiser, trained


def with_peft(trained, dtype):
    """peft's own layers with the same float32 weights on the same base."""
    network = TwoLayers(dtype)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["first", "second"])
    inject_adapter_in_model(config, network, "default")
    layers = {}
    for pair in trained.pairs:
        layer = layers[pair.module] = network.get_submodule(pair.module)
        layer.lora_A["default"].weight.data = pair.down.detach().clone()
        layer.lora_B["default"].weight.data = pair.up.detach().clone()
    return network, layers


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03)], ids=str)
def test_outputs_and_gradients_are_pefts(dtype, tolerance):
    network, trained = attached(dtype)
    reference, layers = with_peft(trained, dtype)
    values = torch.randn(2, 5, 12, generator=generator(2, "values")).to(dtype)

    outputs, expected = network(values), reference(values)
    outputs.float().square().mean().backward()
    expected.float().square().mean().backward()
    trained.weights.gather_gradients()

    assert_near(outputs, expected, tolerance)
    for pair in trained.pairs:
        assert_near(pair.down.grad, layers[pair.module].lora_A["default"].weight.grad, tolerance)
        assert_near(pair.up.grad, layers[pair.module].lora_B["default"].weight.grad, tolerance)


def assert_near(values, expected, tolerance):
    assert values.shape == expected.shape
    assert float((values - expected).float().norm() / expected.float().norm()) < tolerance


def test_an_adapter_begins_without_effect_and_by_the_seed_alone():
    family, again, other = (Family(torch.bfloat16) for _ in range(3))
    values = torch.ones(1, 12, dtype=torch.bfloat16)
    plain = family.denoiser(values)

    first = adapter.attach(family, rank=RANK, alpha=ALPHA, seed=1)
    torch.manual_seed(0)
    second = adapter.attach(again, rank=RANK, alpha=ALPHA, seed=1)
    third = adapter.attach(other, rank=RANK, alpha=ALPHA, seed=2)

    assert torch.equal(family.denoiser(values), plain)
    assert torch.equal(first.weights.row, second.weights.row)
    assert not torch.equal(first.weights.row, third.weights.row)


def test_the_base_keeps_its_names_and_its_casts_leave_the_adapter_alone():
    network, trained = attached(torch.bfloat16)
    before = trained.weights.snapshot()

    network.float()

    assert list(network.state_dict()) == list(TwoLayers(torch.bfloat16).state_dict())
    assert all(torch.equal(tensor, before[name]) for name, tensor in trained.weights.masters.items())
    assert network(torch.ones(1, 12)).dtype == torch.float32


def test_gradients_of_several_passes_add_up_in_float32():
    weights = Weights(SHAPES, device=CPU, dtype=torch.bfloat16)
    for value in (1.0, 2**-9):  # bf16 has no number between 1 and 1 + 2**-7
        (weights.working["b"] * value).sum().backward()
        weights.gather_gradients()

    assert torch.equal(weights.masters["b"].grad, torch.full((4,), 1 + 2**-9))
    assert not weights.masters["a"].grad.any()
    weights.forget_gradients()
    assert not gradient_of(weights.row).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_other_weights_can_be_shown_for_a_while(dtype):
    weights = Weights(SHAPES, device=CPU, dtype=dtype)
    weights.restore({"a": torch.ones(2, 3), "b": torch.zeros(4)})

    with weights.showing(torch.full((10,), 5.0)):
        assert weights.working["a"][0, 0] == 5

    assert weights.working["a"][0, 0] == 1
    assert torch.equal(weights.row, torch.tensor([1.0] * 6 + [0.0] * 4))
