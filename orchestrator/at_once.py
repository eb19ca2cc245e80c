"""Reads for a thread that must not wait: that of the event loop, on which every other client waits too.

A thread's turn costs more than a few rows of a local database do, and under load clients queue for it. So such a read
is tried on the loop itself, where whoever would wait or take long gives up (NotAtOnce, StoreUnavailable); it is then
done again in a thread, with all the time it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_meant = ContextVar("at_once", default=False)


class NotAtOnce(Exception):
    """It needs a thread."""


@contextmanager
def at_once() -> Iterator[None]:
    """What is read within is read at once or not at all: raises NotAtOnce, StoreUnavailable. Nothing is written."""
    token = _is_meant.set(True)
    try:
        yield
    finally:
        _is_meant.reset(token)


def must_be_at_once() -> bool:
    return _is_meant.get()


def needs_time() -> None:
    """Said before what may wait, or take long. Raises NotAtOnce."""
    if must_be_at_once():
        raise NotAtOnce
