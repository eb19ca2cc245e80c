"""Totals of long lists are kept for a while; those of short ones are always counted."""

from __future__ import annotations

import itertools

import pytest

from orchestrator.adapters.sql.totals import FRESH_SECONDS, MANY, Totals


@pytest.fixture
def clock():
    """What `now` answers; a test moves it."""
    return [0.0]


@pytest.fixture
def totals(clock):
    return Totals(now=lambda: clock[0])


def test_a_short_list_is_counted_every_time(totals):
    counts = itertools.count(1)
    assert [totals.get("list", lambda: next(counts)) for _ in range(3)] == [1, 2, 3]


def test_a_long_list_is_counted_again_after_a_while(totals, clock):
    counts = itertools.count(MANY)
    seen = []
    for clock[0] in (0.0, FRESH_SECONDS - 1, FRESH_SECONDS):
        seen.append(totals.get("list", lambda: next(counts)))
    assert seen == [MANY, MANY, MANY + 1]


def test_each_list_has_its_own_total(totals):
    assert [totals.get(name, lambda name=name: MANY + name) for name in (1, 2, 1)] == [MANY + 1, MANY + 2, MANY + 1]


def test_totals_of_very_many_lists_do_not_pile_up(totals):
    for name in range(2_500):
        totals.get(name, lambda: MANY)
    assert len(totals._kept) <= 1_000
