"""How many steps a continued job takes, and what is said of it."""

from __future__ import annotations

import pytest

from orchestrator.domain.continuation import remarks_on, steps_of
from orchestrator.domain.errors import Rejected
from orchestrator.domain.training import TrainingConfig
from tests.factories import make_job


def original(**config):
    return make_job(config=TrainingConfig(steps=1_000, **config))


@pytest.mark.parametrize(
    ("after", "wanted", "steps"),
    [(437, None, 1_000), (1_000, None, 2_000), (437, 600, 600), (1_000, 1_001, 1_001), (9_500, None, 10_000)],
)
def test_it_takes_what_was_left_or_as_many_again_or_what_was_asked_for(after, wanted, steps):
    assert steps_of(original(), after=after, wanted=wanted) == steps


@pytest.mark.parametrize(("after", "wanted"), [(1_000, 1_000), (1_000, 400), (10_000, None)])
def test_without_a_step_left_there_is_nothing_to_continue(after, wanted):
    with pytest.raises(Rejected) as refused:
        steps_of(original(), after=after, wanted=wanted)
    assert (refused.value.code, refused.value.details[0].field) == ("NOTHING_TO_CONTINUE", "steps")


def test_with_the_same_rate_at_every_step_it_is_as_if_nothing_had_happened():
    for scheduler in ("constant", "constant_with_warmup"):
        job = original(lr_scheduler=scheduler, lr_warmup_steps=100)
        assert remarks_on(job, after=1_000, steps=2_000) == [
            "It ends as a job of 2,000 steps would that was never interrupted."
        ]
    (same,) = remarks_on(original(lr_scheduler="cosine"), after=437, steps=1_000)
    assert "never interrupted" in same


def test_a_cosine_that_is_stretched_and_a_patience_that_counts_anew_are_said():
    job = original(lr_scheduler="cosine", early_stopping_patience=2, validation_every=50)
    stretched, patient = remarks_on(job, after=1_000, steps=2_000)
    assert "stretched over 2,000 steps" in stretched
    assert "patience counts anew" in patient
