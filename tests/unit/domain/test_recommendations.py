"""Settings that suit a dataset."""

from __future__ import annotations

import pytest

from orchestrator.domain.recommendations import recommendations
from orchestrator.domain.training import TrainingConfig, TrainingType, options
from tests.factories import make_item

LORA, DREAMBOOTH = TrainingType.LORA, TrainingType.DREAMBOOTH


def advise(count, type_=LORA, *, side=1_024, **config):
    items = [make_item(width=side, height=side) for _ in range(count)]
    found = recommendations(items, type=type_, config=TrainingConfig(**config))
    return {each.option: each.value for each in found}


def test_nothing_is_said_of_no_pictures():
    assert advise(0) == {}


@pytest.mark.parametrize(("count", "steps", "rank"), [(3, 500, 8), (15, 1_500, None), (400, 4_000, 32)])
def test_more_pictures_ask_for_more_steps_and_a_larger_adapter_within_bounds(count, steps, rank):
    found = advise(count)

    assert found["steps"] == steps
    assert (found.get("lora_rank"), found.get("lora_alpha")) == (rank, 2 * rank if rank else None)


def test_larger_batches_need_fewer_steps():
    assert advise(40, batch_size=4, gradient_accumulation_steps=2)["steps"] == 500


def test_what_is_set_already_is_not_recommended():
    assert advise(15, steps=1_500) == {}


def test_small_pictures_are_not_to_be_enlarged():
    assert advise(15, side=400)["resolution"] == 384
    assert advise(15, side=10)["resolution"] == 256
    assert "resolution" not in advise(15, side=512)


def test_enough_pictures_are_worth_validating_on():
    assert advise(40)["validation_every"] == 100
    assert not {"validation_every"} & (advise(15).keys() | advise(40, train_val_split=0.0).keys())


def test_few_pictures_of_a_subject_are_weighed_against_its_class():
    assert advise(15, type_=DREAMBOOTH)["prior_preservation"] is True
    assert "prior_preservation" not in advise(15).keys() | advise(30, type_=DREAMBOOTH).keys()


@pytest.mark.parametrize("count", [1, 9, 10, 99, 5_000])
@pytest.mark.parametrize("type_", TrainingType)
def test_every_recommendation_could_be_submitted_and_gives_its_reason(count, type_):
    found = recommendations([make_item(width=300, height=200)] * count, type=type_, config=TrainingConfig(batch_size=8))
    assert found
    for each in found:
        assert options()[each.option][1].admits(each.value), each
        assert each.reason.endswith((".", "class_prompt."))
