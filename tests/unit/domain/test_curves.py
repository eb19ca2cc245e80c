"""Thinning keeps what a reader looks for, whatever the series."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.curves import FEWEST_POINTS, MOST_POINTS, Point, thinned

series = st.lists(st.tuples(st.floats(-1e30, 1e30), st.booleans()), min_size=1, max_size=300).map(
    lambda drawn: [Point(1, step, loss, is_validated) for step, (loss, is_validated) in enumerate(drawn)]
)
wishes = st.integers(FEWEST_POINTS, 120)


def thin(points, wanted, *, count=None):
    validated = sum(point.is_validated for point in points)
    return list(thinned(iter(points), count=count or len(points), validated=validated, wanted=wanted))


@given(series, wishes)
def test_what_is_kept_is_part_of_the_series_in_its_order(points, wanted):
    kept = thin(points, wanted)

    assert [point.step for point in kept] == sorted({point.step for point in kept})
    assert set(kept) <= set(points)


@given(series, wishes)
def test_there_are_never_many_more_points_than_wanted_beside_the_validated_ones(points, wanted):
    validated = sum(point.is_validated for point in points)

    assert len(thin(points, wanted)) <= max(wanted, validated + 4)


@given(series, wishes)
def test_no_validated_point_is_lost(points, wanted):
    kept = set(thin(points, wanted))

    assert all(point in kept for point in points if point.is_validated)


@given(series, wishes)
def test_the_extremes_and_both_ends_are_there(points, wanted):
    kept = thin(points, wanted)

    assert min(point.loss for point in kept) == min(point.loss for point in points)
    assert max(point.loss for point in kept) == max(point.loss for point in points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])


@given(series)
def test_a_series_that_is_short_enough_stays_as_it_is(points):
    assert thin(points, len(points)) == points


def test_points_that_came_since_they_were_counted_are_taken_in_too():
    points = [Point(1, step, 1.0, is_validated=False) for step in range(150)]

    assert thin(points, 20, count=100)[-1] in points[99:]


def test_rows_that_went_since_they_were_counted_are_no_error():
    assert thin([], 20, count=100) == []


def test_a_trainer_that_validates_without_end_cannot_make_the_answer_longer_than_asked():
    points = [Point(1, step, float(step % 7), is_validated=True) for step in range(MOST_POINTS + 1)]

    assert len(thin(points, 20)) <= 20


@pytest.mark.parametrize("wanted", [FEWEST_POINTS, 100])
def test_one_spike_among_a_million_points_is_seen(wanted):
    points = (Point(1, step, 9.0 if step == 654_321 else 0.1, is_validated=False) for step in range(1_000_000))

    kept = list(thinned(points, count=1_000_000, validated=0, wanted=wanted))

    assert Point(1, 654_321, 9.0, is_validated=False) in kept
    assert len(kept) <= wanted
