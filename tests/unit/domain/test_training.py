"""Every training option: its bounds hold its default, and it survives the way to the trainer and back."""

from __future__ import annotations

import json

import pytest

from orchestrator.domain.training import TrainingConfig, options


@pytest.mark.parametrize("name", options())
def test_an_option_says_what_it_does_and_its_default_is_within_its_bounds(name):
    field, option = options()[name]

    assert option.description.endswith(".")
    if isinstance(field.default, str):
        assert field.default in option.choices
    elif field.default is not None and not isinstance(field.default, bool | tuple):
        assert option.minimum <= field.default <= option.maximum
        assert option.multiple_of is None or field.default % option.multiple_of == 0


def test_parameters_survive_json_with_every_key_present():
    config = TrainingConfig(steps=200, sample_prompts=("a cat", "a dog"), sample_every=None)

    params = json.loads(json.dumps(config.as_params()))

    assert params.keys() == options().keys()
    assert TrainingConfig.from_params(params) == config


def test_missing_parameters_take_their_defaults():
    assert TrainingConfig.from_params({"steps": 300}) == TrainingConfig(steps=300)


@pytest.mark.parametrize(
    ("item_count", "split", "counts"),
    [(4, 0.5, (4, 0)), (5, 0.1, (5, 0)), (5, 0.5, (3, 2)), (10, 0.1, (9, 1)), (10, 0.0, (10, 0)), (1, 0.1, (1, 0))],
)
def test_a_small_dataset_is_trained_on_whole(item_count, split, counts):
    assert TrainingConfig(train_val_split=split).train_val_counts(item_count) == counts


def test_the_last_pass_over_the_pictures_is_counted_in_full():
    config = TrainingConfig(steps=100, batch_size=2, gradient_accumulation_steps=2)

    assert config.total_epochs(9) == 45
    assert config.total_epochs(400) == 1
