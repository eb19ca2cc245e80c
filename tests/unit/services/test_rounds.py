"""Rounds beside the passes: when they come, and when they do not."""

from __future__ import annotations

from orchestrator.services.rounds import run_rounds


class Stop:
    """Set once it was waited on so many times; remembers for how long each time."""

    def __init__(self, waits):
        self.pauses = []
        self._waits = waits

    def wait(self, seconds):
        self.pauses.append(seconds)
        return len(self.pauses) >= self._waits


def test_each_round_says_how_long_to_rest():
    stop, rests = Stop(3), iter([7.0, 8.0])

    run_rounds(lambda: next(rests), stop=stop, is_leading=lambda: True, idle_seconds=1.0)

    assert stop.pauses == [1.0, 7.0, 8.0]


def test_who_does_not_lead_only_asks_again():
    stop, leads = Stop(4), iter([False, True, False])

    run_rounds(lambda: 9.0, stop=stop, is_leading=lambda: next(leads), idle_seconds=1.0)

    assert stop.pauses == [1.0, 1.0, 9.0, 1.0]
