"""Options that cannot be meant together."""

from __future__ import annotations

import pytest

from orchestrator.domain.contradictions import contradictions
from orchestrator.domain.training import TrainingConfig, TrainingType

LORA, DREAMBOOTH = TrainingType.LORA, TrainingType.DREAMBOOTH


def fields(config: TrainingConfig, type_: TrainingType = LORA, family: str | None = "sd15") -> list[str]:
    return [each.field for each in contradictions(config, type=type_, family=family)]


def test_the_defaults_do_not_contradict_each_other_on_any_family() -> None:
    for family in ("sd15", "sdxl", "flux2-klein", "z-image", None):
        assert fields(TrainingConfig(), family=family) == []


@pytest.mark.parametrize("family", ["flux2-klein", "z-image"])
def test_a_language_model_that_reads_prompts_is_not_trained(family: str) -> None:
    config = TrainingConfig(text_encoder_lora=True)
    assert fields(config, family=family) == ["config.text_encoder_lora"]


@pytest.mark.parametrize("family", ["sd15", "sdxl", "a-family-of-another-trainer", None])
def test_clip_is_trained_and_a_family_that_nobody_here_knows_is_left_to_its_trainer(family: str | None) -> None:
    assert fields(TrainingConfig(text_encoder_lora=True), family=family) == []


def test_class_pictures_need_dreambooth_and_a_prompt() -> None:
    config = TrainingConfig(prior_preservation=True)
    assert fields(config) == ["config.prior_preservation", "config.class_prompt"]
    assert fields(config, DREAMBOOTH) == ["config.class_prompt"]
    assert fields(TrainingConfig(prior_preservation=True, class_prompt="a dog"), DREAMBOOTH) == []


def test_stopping_early_needs_validations() -> None:
    assert fields(TrainingConfig(early_stopping_patience=3)) == ["config.early_stopping_patience"]
    assert fields(TrainingConfig(early_stopping_patience=3, validation_every=50)) == []


def test_everything_is_told_at_once() -> None:
    config = TrainingConfig(text_encoder_lora=True, prior_preservation=True, early_stopping_patience=1)
    assert len(fields(config, family="z-image")) == 4
