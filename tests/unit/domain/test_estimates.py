"""What a job will take, as far as earlier ones tell."""

from __future__ import annotations

import pytest

from orchestrator.domain.estimates import Basis, Tariff, Work, estimate, estimate_by_progress, saved_by_ending
from tests.factories import make_run

WORK = Work("model/a", resolution=512, images=1, is_checkpointing=False, is_on_gpu=True)
FREE = Tariff(None)


def run(**changes):
    return make_run(**{"base_model": "model/a", "is_on_gpu": True} | changes)


def guess(runs, *, work=WORK, steps=1_000, gpus=1, tariff=FREE):
    return estimate(work, steps, runs, gpus=gpus, tariff=tariff)


def test_nobody_can_know_before_a_job_completed_on_such_a_device():
    assert guess([]) is None
    assert guess([run(is_on_gpu=False)]) is None


def test_the_median_of_the_same_settings_is_taken_and_said_to_be():
    found = guess([run(seconds=seconds) for seconds in (100.0, 120.0, 9_999.0)])

    assert (found.duration_seconds, found.basis, found.run_count) == (1_200.0, Basis.SAME_SETTINGS, 3)
    assert found.sentence == "Median of 3 jobs completed with the same base model, resolution and images a step."


def test_what_is_not_training_takes_as_long_for_many_steps_as_for_few():
    slow_start = run(steps=100, seconds=160.0, samples_a_second=1.0)

    assert guess([slow_start], steps=100).duration_seconds == 160.0
    assert guess([slow_start], steps=1_000).duration_seconds == 1_060.0


@pytest.mark.parametrize("samples_a_second", [0.0, -3.0, 1e-9, None])
def test_a_trainer_that_measured_nonsense_is_judged_by_its_whole_time(samples_a_second):
    assert guess([run(samples_a_second=samples_a_second)]).duration_seconds == 1_000.0


def test_other_settings_of_the_base_model_are_scaled_by_pixels_a_step():
    found = guess([run(resolution=256, images=2)])

    assert (found.duration_seconds, found.basis) == (2_000.0, Basis.SAME_BASE_MODEL)
    assert found.sentence == "Median of 1 job completed with the same base model, scaled by pixels a step."


def test_a_job_that_trains_text_encoders_is_not_one_of_the_same_settings():
    plain, with_text = run(seconds=100.0), run(seconds=300.0, adapts_text=True)

    assert guess([plain, with_text]).duration_seconds == 1_000.0
    assert guess([plain, with_text], work=WORK._replace(adapts_text=True)).duration_seconds == 3_000.0


def test_better_evidence_wins_over_more_of_it():
    worse = [run(base_model="model/b", seconds=9_000.0) for _ in range(5)]
    better = run(resolution=1_024, seconds=400.0)

    assert guess(worse).basis is Basis.ANY_BASE_MODEL
    assert guess([*worse, better]).basis is Basis.SAME_BASE_MODEL
    assert guess([*worse, better, run()]).basis is Basis.SAME_SETTINGS


def test_memory_is_the_peak_of_jobs_with_the_same_settings_and_never_scaled():
    measured = [run(gpu_memory_bytes=peak) for peak in (10, 30, None, 20)]

    assert guess(measured).memory_bytes == 30
    assert guess(measured, work=WORK._replace(resolution=768)).memory_bytes is None
    assert guess([run()]).memory_bytes is None


def test_every_gpu_that_a_job_holds_costs():
    tariff = Tariff(1.8, "EUR")

    assert guess([run()], gpus=2, tariff=tariff).cost == 1.0
    assert guess([run()]).cost is None


def test_a_job_that_trains_is_judged_by_its_own_pace():
    found = estimate_by_progress(600.0, 1_200.0, gpus=1, tariff=Tariff(2.0))

    assert (found.duration_seconds, found.cost, found.basis) == (1_800.0, 1.0, Basis.PROGRESS)


def test_an_early_end_saved_the_steps_that_were_left_at_the_pace_of_those_before():
    so_far = run(steps=400, seconds=500.0, samples_a_second=1.0)  # 100 seconds of them were no training
    saved = saved_by_ending(so_far, 600, gpus=2, tariff=Tariff(3.0))

    assert (saved.steps, saved.seconds, saved.cost) == (600, 600.0, 1.0)
    assert saved.sentence == "The 600 steps that it did not take, at the pace of those it took."


@pytest.mark.parametrize(("taken", "left"), [(0, 1_000), (1_000, 0), (1_001, -1)])
def test_nothing_was_saved_where_nothing_was_measured_or_left(taken, left):
    assert saved_by_ending(run(steps=taken), left, gpus=1, tariff=FREE) is None
