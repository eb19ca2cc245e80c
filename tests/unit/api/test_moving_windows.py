"""Rate limits' windows: what counts, what no longer does, and that nothing is kept of who has gone."""

from __future__ import annotations

import threading

import limits
import pytest
from limits.strategies import MovingWindowRateLimiter

from api import moving_windows
from api.moving_windows import MovingWindows

RATE = limits.parse("2/minute")
START = 1_800_000_000.0


class Hand:
    """The clock's: turned by the test."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    monkeypatch.setattr(moving_windows, "time", hand)
    return hand


@pytest.fixture
def limiter(hand: Hand) -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MovingWindows())


def test_a_hit_counts_for_the_length_of_the_window_and_no_longer(limiter: MovingWindowRateLimiter, hand: Hand) -> None:
    assert limiter.hit(RATE, "alice")
    hand.now += 30
    assert limiter.hit(RATE, "alice")
    assert not limiter.hit(RATE, "alice")
    hand.now += 29
    assert not limiter.hit(RATE, "alice")
    hand.now += 2
    assert limiter.hit(RATE, "alice")
    assert not limiter.hit(RATE, "alice")


def test_a_refused_hit_does_not_count(limiter: MovingWindowRateLimiter, hand: Hand) -> None:
    for _ in range(5):
        limiter.hit(RATE, "alice")
    hand.now += 61
    assert limiter.get_window_stats(RATE, "alice").remaining == 2


def test_the_window_says_what_remains_and_when_there_is_more(limiter: MovingWindowRateLimiter, hand: Hand) -> None:
    assert limiter.get_window_stats(RATE, "alice") == (START + 60, 2)
    limiter.hit(RATE, "alice")
    hand.now += 10
    assert limiter.get_window_stats(RATE, "alice") == (START + 60, 1)
    assert limiter.get_window_stats(RATE, "bob") == (START + 70, 2)


def test_who_has_not_asked_for_long_is_forgotten(hand: Hand) -> None:
    windows = MovingWindows()
    limiter = MovingWindowRateLimiter(windows)
    for user in range(100):
        limiter.hit(RATE, f"user-{user}")
    hand.now += 3600
    limiter.hit(RATE, "alice")
    assert windows.kept == 1


def test_threads_together_get_no_more_than_the_rate(limiter: MovingWindowRateLimiter) -> None:
    rate, allowed = limits.parse("100/minute"), []
    threads = [
        threading.Thread(target=lambda: allowed.extend(limiter.hit(rate, "alice") for _ in range(50))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 100


def test_asking_starts_no_thread(limiter: MovingWindowRateLimiter) -> None:
    before = threading.active_count()
    for _ in range(100):
        limiter.hit(limits.parse("1000/minute"), "alice")
    assert threading.active_count() == before
