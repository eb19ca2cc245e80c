"""Waiting for a condition instead of sleeping for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE_SECONDS = 0.02


def eventually(condition: Callable[[], T], *, within_seconds: float = 15.0, what: str = "the condition") -> T:
    """The first truthy answer of `condition`, asked until the deadline; fails the test when it stays falsy."""
    deadline = time.monotonic() + within_seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {within_seconds} s; last answer: {answer!r}")
        time.sleep(_PAUSE_SECONDS)
    return answer
