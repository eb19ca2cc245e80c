"""Waiting for a condition instead of sleeping for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Only a test that fails reaches it: long enough for tests that run beside each other, on a machine that is busy.
DEADLINE_SECONDS = 120.0
_PAUSE_SECONDS = 0.02
_LOOK_AGAIN_SECONDS = 0.5


def eventually(
    condition: Callable[[], T], *, within_seconds: float = DEADLINE_SECONDS, what: str = "the condition"
) -> T:
    """The first truthy answer of `condition`, asked until the deadline; fails the test when it stays falsy."""
    deadline = time.monotonic() + within_seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {within_seconds} s; last answer: {answer!r}")
        time.sleep(_PAUSE_SECONDS)
    return answer


def throughout(condition: Callable[[], object], *, seconds: float, what: str = "the condition") -> None:
    """Fails the test when `condition` is falsy at any look during that time."""
    over_at = time.monotonic() + seconds
    while time.monotonic() < over_at:
        assert condition(), f"{what} was not true throughout {seconds} s"
        time.sleep(_LOOK_AGAIN_SECONDS)
